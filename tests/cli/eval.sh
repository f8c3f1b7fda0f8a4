#!/bin/bash
# `reel eval` on real video and real predictions gives the scores of the reference tool, to 1e-9.
source "${BASH_SOURCE%/*}/lib/check.bash"
shared=../shared/data
for needed in davis osvos osvos_expected.json; do
    if [ ! -e $shared/$needed ]; then
        skip "$shared/$needed is absent; the scores of 12 videos are not checked"
        exit 0
    fi
done

# A line a video: its name and its numbers.
scores() {
    tr -d ' \n' <"$1" | grep -o '"[^"]*":{"frames":[0-9]*,"J":\[[^]]*\],"F":\[[^]]*\]' | tr -s '":{}[],' ' ' |
        sed 's/frames//; s/ J / /; s/ F / /' | LC_ALL=C sort
}
expect 0 "$REEL" eval --protocol davis2016 --gt $shared/davis --pred $shared/osvos --split all --json
scores "$T/out" >"$T/ours"
scores $shared/osvos_expected.json >"$T/theirs"
[ "$(grep -c . "$T/theirs")" -eq 12 ] || fail "$shared/osvos_expected.json does not hold 12 videos"
paste "$T/ours" "$T/theirs" | awk '
    $1 != $9 || $2 != $10 || NF != 16 { print "other videos or frames: " $0; exit 1 }
    { for (i = 3; i <= 8; i++) { d = $i - $(i + 8); if (d > 1e-9 || d < -1e-9) { print $1, $i, $(i + 8); exit 1 } } }
' >"$T/why" || fail "$(cat "$T/why")"
cp "$T/out" "$T/first"
expect 0 "$REEL" eval --protocol davis2016 --gt $shared/davis --pred $shared/osvos --split all --json --threads 1
same "$T/first" "$T/out" "scores by one thread"
echo "72 scores of 12 videos; 1 passed"
