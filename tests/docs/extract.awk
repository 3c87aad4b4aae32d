# SPDX-License-Identifier: BSL-1.0
#
# awk -v page=docs/guide/x.md -f extract.awk docs/guide/x.md > x.cpp
# The C++ of a page as one translation unit, so that a compiler can read what readers read:
#   ```cpp         declarations; a page's blocks follow one another, as in one file
#   ```cpp body    statements; a page's blocks follow one another, as in one function
#   ```cpp own     declarations with a namespace of their own; a block with a main function is one as well
#   ```cpp body own    statements in braces of their own
#   <!-- prologue … -->    what readers do not see: includes, names that the blocks use
# #include lines move to the top. Blocks of another language (```text, ```cmake, ```sh) are left alone.

BEGIN { block = 0 }

/^<!-- prologue$/ { prologue = 1; next }
prologue && /^-->$/ { prologue = 0; next }
prologue { add_line($0); next }

!inside && /^```cpp/ {
    inside = 1
    body = ($0 ~ / body/)
    own = ($0 ~ / own/)
    text = "#line " (NR + 1) " \"" page "\"\n"
    ++block
    next
}
!inside && /^```/ { foreign = !foreign; next }
foreign { next }

inside && /^```$/ {
    inside = 0
    if (body) statements = statements (own ? "{\n" text "}\n" : text)
    else if (own || text ~ /int main\(/) declarations = declarations "namespace own_" block " {\n" text "}\n"
    else declarations = declarations text
    next
}
inside && /^#include/ { include($0); text = text "\n"; next }
inside { text = text $0 "\n" }

function include(line) { if (!(line in seen)) { seen[line] = 1; includes = includes line "\n" } }
function add_line(line) { if (line ~ /^#include/) include(line); else declarations = declarations line "\n" }

END {
    if (inside || foreign || prologue) {
        print page ": a block is not closed" > "/dev/stderr"
        exit 1
    }
    print "// Made from " page " by tests/docs/extract.awk."
    printf "%s", includes
    # Examples show things without using them all.
    split("unused-variable unused-but-set-variable unused-function unused-local-typedefs return-type shadow", quiet, " ")
    for (i = 1; i in quiet; ++i) print "#pragma GCC diagnostic ignored \"-W" quiet[i] "\""
    if (block > 0) printf "namespace page {\nusing namespace tenon;\n%s", declarations
    if (statements != "") printf "inline void statements()\n{\n%s}\n", statements
    if (block > 0) print "}"
    print "#line 1 \"" page "\""
    print "int main() {}"
}
