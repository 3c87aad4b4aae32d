# SPDX-License-Identifier: BSL-1.0
#
# A header as Doxygen should see it. tenon's comments are plain //:
#   - one in front of a declaration becomes Doxygen's, and that of all further declarations of its paragraph;
#   - one behind a declaration on its line documents that;
#   - one at the top of a file documents the file, and "Name: what it is" there the class Name too.
# All that Doxygen would take for markup is escaped; lines indented by three spaces or more (formulas, code) stay as they
# are. Function bodies are left out: Doxygen's parser stumbles over some.

function indent_of(line) { match(line, /^ */); return RLENGTH }

function plain(text) {
    gsub(/\\/, "\\\\\\\\", text)
    gsub(/[@#<>~$%|"&]/, "\\\\&", text)
    gsub(/::/, "\\::", text)
    return text
}

# Lines of text[1 … count] as documentation.
function document(text, count, dent,    i, verbatim) {
    dent = sprintf("%" dent "s", "")
    verbatim = 0
    for (i = 1; i <= count; ++i) {
        if (text[i] ~ /^   /) {
            if (!verbatim) print dent "/// @verbatim"
            verbatim = 1
            print dent "///" text[i]
            continue
        }
        if (verbatim) print dent "/// @endverbatim"
        verbatim = 0
        print dent "///" plain(text[i])
    }
    if (verbatim) print dent "/// @endverbatim"
}

function class_name(line) {
    if (line !~ /^(class|struct) [A-Za-z]/) return ""
    sub(/^(class|struct) (\[\[[a-z]*\]\] )?/, "", line)
    sub(/[^A-Za-z0-9_<].*$/, "", line)
    return line
}

# The comment at the top of a file may document a class of it.
function about_class(name) {
    if (!(name in subject)) return
    document(head_text, head_lines, 0)
    delete subject[name]
}

function starts_declaration(line) { return line ~ /[^ ]/ && line !~ /^ *[{}#]/ && line !~ /^ *(namespace|public:|private:|requires)/ }

NR == 1 { print "/// @file"; head = 1; next }

head && /^\/\// {
    text = substr($0, 3)
    if (text != "" || head_lines > 0) head_text[++head_lines] = text
    next
}
head {
    if (match(head_text[1], /^ [A-Z][A-Za-z0-9, ]*( and [A-Z][A-Za-z0-9]*)?: /)) {
        names = substr(head_text[1], 2, RLENGTH - 3)
        gsub(/,| and /, " ", names)
        count = split(names, list, / +/)
        for (i = 1; i <= count; ++i) subject[list[i]] = 1
    }
    document(head_text, head_lines, 0)
    head = 0
}

# A body ends at a brace as far to the left as where it began.
in_body {
    if ($0 ~ /^ *}/ && indent_of($0) == body_indent) { in_body = 0; ended = 1; print }
    else print ""
    next
}

# A comment of its own lines: kept until it is known what follows.
/^ *\/\// && !/^ *\/\/ ----/ {
    if (!pending) { comment_lines = 0; comment_indent = indent_of($0) }
    pending = 1
    comment[++comment_lines] = substr($0, indent_of($0) + 3)
    next
}

/^ *$/ {
    pending = 0
    if (!twins) { paragraph = 0; ended = 0 }
    print
    next
}

# A comment that opens a block under a condition is about all of the block.
/^#if/ { conditional = NR }
/^#endif/ { twins = 0; paragraph = 0 }

{
    sub(/tenon::inline TENON_ISA/, "tenon")
    if (/^TENON_DETAIL_/) next
    documented = 0
    if (pending && starts_declaration($0)) {
        document(comment, comment_lines, comment_indent)
        documented = 1
        paragraph = 1
        if (conditional && conditional == NR - comment_lines - 1) twins = 1
    } else if (!pending && paragraph && ended && starts_declaration($0) && indent_of($0) == comment_indent) {
        document(comment, comment_lines, comment_indent)
        documented = 1
    }
    pending = 0

    # What stands between template <…> and the declaration is needed to know the declaration.
    if (/^ *template </ && !documented) {
        if (held != "") print held
        held = $0
        ended = 0
        next
    }
    if (held != "") {
        if (/^ *requires/) { held = held "\n" $0; next }
        if (/^ *(explicit )?[A-Z][A-Za-z]*\(.*\) -> /) { held = ""; next }  # a deduction guide
        about_class(class_name($0))
        if (/^ +struct rule/) print "    /// What the layer is for inputs of shape In: its output's shape, its parameters, its costs."
        if (/^ +struct takes/) print "    /// Whether the loss takes outputs of that shape: a sentence, and `value`."
        print held
        held = ""
    } else if (!documented && !template_documented) {
        about_class(class_name($0))
    }
    template_documented = documented && /^template </
    if (/^ *[A-Z][A-Za-z]*\(.*\) -> .*;$/) next

    if ($0 ~ /^ *{$/ || $0 ~ /\[[^\]]*\](\([^)]*\))? (TENON_LAMBDA_INLINE )?{$/) {
        in_body = 1
        body_indent = indent_of($0)
    } else if ($0 !~ /^ *[#}]/ && match($0, /  \/\/ /)) {
        text = substr($0, RSTART + 5)
        $0 = substr($0, 1, RSTART - 1) "  ///< " plain(text)
    }
    ended = $0 ~ /[;}] *(\/\/\/< .*)?$/
    print
}
