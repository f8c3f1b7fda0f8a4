#!/bin/bash
# A decimal comma, another time zone and another language change neither logs nor weights.
source "${BASH_SOURCE%/*}/lib/check.bash"
expect 0 train --steps 3 --lr 0.0125 --out "$T/plain"
expect 0 env TZ=Asia/Kathmandu LANG=tr_TR.UTF-8 "$REEL" train "${tiny[@]}" --steps 3 --lr 0.0125 --out "$T/zone"
same_run "$T/plain" "$T/zone" "another time zone"
comma=$(locale -a 2>"$T/err" | grep -i -m 1 -E '^(de|fr|nl|it|es)_[A-Z]+\.?(utf-?8)?$')
if [ -z "$comma" ]; then
    skip "no locale with a decimal comma is installed"
    exit 0
fi
expect 0 env LC_ALL="$comma" "$REEL" train "${tiny[@]}" --steps 3 --lr 0.0125 --out "$T/comma"
same_run "$T/plain" "$T/comma" "LC_ALL=$comma"
echo "1 passed"
