#!/bin/bash
# The programs of the course, docs/learn/examples/NAME.c, and the one in README.md are built against the library and
# must print what stands beside them (NAME.txt). So the course cannot say what the code no longer does.
# B: the build folder, where libreel.a is.
set -u
B=${B:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packages=$(sed -n 's/^PACKAGES *:= *//p' Makefile)
flags="-std=c11 -D_GNU_SOURCE -I. -fopenmp -O1 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Werror"
case $B in *sanitize*) flags="$flags -fsanitize=address,undefined" ;; esac
# shellcheck disable=SC2086,SC2046 # flags are words
build() { ${CC:-gcc} $flags "$1" "$B/libreel.a" -o "$2" $(pkg-config --libs $packages) $(cat "$B/cuda.libs") -lm -lpthread; }

passed=0 failed=0
# check NAME SOURCE EXPECTED
check() {
    if build "$2" "$work/$1" && "$work/$1" >"$work/$1.out" && diff -u "$3" "$work/$1.out"; then
        passed=$((passed + 1))
    else
        echo "FAIL $1: $2 does not build, run or print what $3 holds"
        failed=$((failed + 1))
    fi
}

for source in docs/learn/examples/*.c; do
    name=$(basename "$source" .c)
    check "$name" "$source" "${source%.c}.txt"
done

# shellcheck disable=SC2016 # the marks of a block
sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' >"$work/readme.c"
echo "2 4 6" >"$work/readme.txt"
check readme "$work/readme.c" "$work/readme.txt"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
