#!/bin/bash
# --lengthen: clips grow by a frame at the steps that it says, a step is that of a training with clips of its length, and
# a run that is resumed anywhere, also where clips grow, is bit for bit the run that never stopped.
source "${BASH_SOURCE%/*}/lib/check.bash"
growing=(train "${data[@]}" --width 0.01 --size 32x64 --quiet --threads 2 --frames 4 --shortest 2 --lengthen 2)
steps=7

expect 0 "$REEL" "${growing[@]}" --steps $steps --out "$T/straight" --json
lengths=$(grep -o '"frames": [0-9]*' "$T/out" | tr -dc '0-9\n' | tr '\n' ' ')
[ "$lengths" = "2 2 3 3 4 4 4 " ] || fail "the clips of $steps steps have $lengths predicted frames"

# The first two steps are those of short clips, and the third goes on from them with clips of three frames.
short=(train "${data[@]}" --width 0.01 --size 32x64 --quiet --threads 2)
expect 0 "$REEL" "${short[@]}" --frames 2 --steps 2 --out "$T/by_hand"
for frames in 3 4; do
    [ $frames = 3 ] && until=4 || until=$steps
    expect 0 "$REEL" "${short[@]}" --frames $frames --steps $until --out "$T/by_hand" --resume
done
same_run "$T/straight" "$T/by_hand" "lengthened by hand"

for stop in 1 2 3 4 6; do
    rm -rf "$T/parts"
    expect 0 "$REEL" "${growing[@]}" --steps $stop --out "$T/parts" --workers 2
    expect 0 "$REEL" "${growing[@]}" --steps $steps --out "$T/parts" --resume
    same_run "$T/straight" "$T/parts" "resumed after step $stop"
done

# What is planned before a run is the longest: its budget is refused at once, not when clips have grown.
expect 0 "$REEL" "${growing[@]}" --dry-run --json
whole=$(number "$T/out" total)
expect 0 "$REEL" "${short[@]}" --frames 4 --dry-run --json
[ "$whole" = "$(number "$T/out" total)" ] || fail "--dry-run tells the cost of another length"
expect 1 "$REEL" "${growing[@]}" --steps 1 --out "$T/tight" --memory 1MiB
[ ! -e "$T/tight" ] || fail "a run was begun whose longest clips cannot be planned"
echo "6 trainings; 1 passed"
