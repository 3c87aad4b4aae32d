# SPDX-License-Identifier: BSL-1.0
#
# awk -v compiler="GNU 12" -f printed.awk <page.md> <what the compiler printed>
# Every line of the block marked <!-- printed by … --> must be among those that the compiler printed, folders, instruction
# sets and line numbers aside.

function normal(line) {
    gsub(/isa_[a-z0-9_]*::/, "", line)
    gsub(/:[0-9]+:[0-9]+:/, ":", line)
    sub(/^ *[0-9]+ \|/, "|", line)
    if (match(line, /^[^ ]*\//)) line = substr(line, RLENGTH + 1)
    sub(/^ +/, "", line)
    return line
}

FNR == 1 { ++file }
file == 1 && $0 == "<!-- printed by " compiler " -->" { marked = 1; next }
file == 1 && marked && /^```text$/ { inside = 1; marked = 0; next }
file == 1 && inside && /^```$/ { inside = 0 }
file == 1 && inside && $0 != "…" { expected[++count] = normal($0) }
file == 2 { printed[normal($0)] = 1 }

END {
    for (i = 1; i <= count; ++i)
        if (!(expected[i] in printed)) {
            print "not printed by " compiler ": " expected[i]
            failed = 1
        }
    print count + 0 " lines"
    exit failed
}
