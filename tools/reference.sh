#!/bin/sh
# Writes docs/reference.md to the standard output, from the sources: the list of ops (ops/ops.def), the comment at the
# top of each op's file, its C function (ops/*.h) and what `reel ops` says of inputs and attributes. Nothing is written
# down a second time. Which backend has which kernels is left to `reel ops`, which asks the machine.
# Usage: tools/reference.sh PATH_OF_REEL >docs/reference.md
set -eu
reel=${1:-build/reel}
cd "$(dirname "$0")/.."
names=$(sed -n 's/^REEL_OP(\(.*\))/\1/p' ops/ops.def)

# The comment at the top of a file, without its marks.
comment() {
    sed -n '1,/\*\//p' "$1" | sed 's|^/\* ||; s|^   ||; s| *\*/ *$||'
}

# The declaration of a function in the headers of ops/, on as many lines as it has there.
declaration() {
    cat ops/*.h | awk -v start="reel_$1(" '
        !on && /^[a-z]/ && !/^static/ && index($0, start) && substr($0, index($0, start) - 1, 1) ~ /[* ]/ { on = 1 }
        on { print }
        on && /;/ { exit }' | sed 's|;.*|;|'
}

# Functions that append several ops, or one op in a common way.
composed() {
    cat ops/elementwise.h ops/reduce.h ops/linear.h ops/convolution.h ops/pooling.h ops/resize.h ops/layout.h \
        ops/normalise.h ops/recurrent.h ops/distance.h ops/losses.h ops/optimise.h |
        sed -n 's/^\(reel_tensor \*\|void \|reel_batch_norm_result \)reel_\([a-z0-9_]*\)(.*/\2/p' |
        while read -r name; do
            echo "$names" | grep -qx "$name" || [ "$name" = dropout_range ] || echo "$name"
        done
}

cat <<'TEXT'
# Reference of the ops

Made from the sources by `make docs`; do not edit. x is an input, y the output, dy and dx their gradients. Every
builder returns a tensor at once and never fails loudly: `core/graph.h` tells how errors travel. `reel ops` lists what
the backends of your build make of each op, and `reel op NAME` runs one on arrays from files.

| op | formula | gradient |
|---|---|---|
TEXT
"$reel" ops --json | awk -F'": ' '
    /^    "name"/ { name = $2 }
    /^    "summary"/ { summary = $2 }
    /^    "gradient"/ {
        gsub(/^"|",?$/, "", name); gsub(/^"|",?$/, "", summary); gsub(/\|/, "\\|", summary); gsub(/\\\\/, "\\", summary)
        print "| [" name "](#" name ") | " summary " | " ($2 ~ /true/ ? "yes" : "none") " |"
    }'

for name in $names; do
    printf '\n## %s\n\n```text\n' "$name"
    comment "ops/$name.c"
    printf '```\n'
    text=$(declaration "$name")
    # shellcheck disable=SC2016 # the marks of a block
    [ -z "$text" ] || printf '\n```c\n%s\n```\n' "$text"
    printf '\n```text\n'
    "$reel" ops "$name" | sed '1d; /^  [a-z]*  *\(own\|loops\|view\|-\)$/d; /^attributes/,$!s/^  //'
    printf '```\n'
done

# shellcheck disable=SC2016 # the marks of a block
printf '\n## Functions made of ops\n\nDeclared with a comment in the headers of `ops/`.\n\n```c\n'
for name in $(composed); do declaration "$name"; done
printf '```\n'
