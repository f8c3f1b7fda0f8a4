#!/bin/bash
# What README.md and docs/ name must exist: files that they link to or mention, C names, commands and options.
# REEL: the command.
# shellcheck disable=SC2016 # the marks of code
set -u
REEL=${REEL:-build/reel}
documents="README.md docs/speed.md docs/*/*.md"
checked=0 failed=0

# holds WHAT DOCUMENT COMMAND…: the command must succeed.
holds() {
    local what=$1 document=$2
    shift 2
    checked=$((checked + 1))
    "$@" >/dev/null 2>&1 && return
    echo "FAIL $document: there is no $what"
    failed=$((failed + 1))
}

known() {
    [ -e "tests/$1.c" ] || grep -rqw --include='*.[ch]' --include='*.cu*' --include='*.def' --include='*.py' -- "$1" \
        core ops autograd backends datasets models tools
}
takes() { "$REEL" "$1" --help | grep -q -- "^  $2\b"; }

for document in $documents; do
    while read -r link; do
        holds "$link" "$document" test -e "$(dirname "$document")/$link"
    done < <(grep -o ']([^)#]*' "$document" | sed 's/^](//' | grep -v '^http\|^$')
    while read -r path; do
        [ "$path" = ops/swish.c ] || holds "$path" "$document" test -e "$path"
    done < <(grep -oE '`[a-z]+/[A-Za-z0-9_/]+\.[a-z]+`' "$document" | tr -d '`' | grep -v '^build')
    while read -r name; do
        holds "$name" "$document" known "$name"
    done < <(grep -oE '`[a-z][a-z0-9]*(_[a-z0-9]+)+`' "$document" | tr -d '`')
    while read -r command option; do
        holds "reel $command $option" "$document" takes "$command" "$option"
    done < <(grep -oE '(build/reel|`reel) [a-z]+ .*' "$document" | sed 's/[`#|].*//' | while read -r _ command rest; do
        for word in $rest; do case $word in --help) ;; --*) echo "$command $word" ;; esac done
    done)
done

echo "$checked names checked, $((failed == 0)) passed, $failed failed"
[ "$failed" -eq 0 ]
