#!/bin/bash
# --recompute spends time, not bits: the same weights and losses from a smaller arena. It leaves nothing to be batched.
source "${BASH_SOURCE%/*}/lib/check.bash"
for model in s2s s2s+memory s2s+distance s2s++; do
    options=(train "${data[@]}" --model $model --width 0.01 --size 32x64 --frames 4 --steps 4 --quiet --threads 2 --clip-batch off)
    expect 0 "$REEL" "${options[@]}" --out "$T/$model"
    expect 0 "$REEL" "${options[@]}" --out "$T/$model.again" --recompute
    same_run "$T/$model" "$T/$model.again" "$model --recompute"
    expect 0 "$REEL" "${options[@]}" --dry-run --json
    whole=$(number "$T/out" arena)
    expect 0 "$REEL" "${options[@]}" --dry-run --json --recompute
    part=$(number "$T/out" arena)
    [ "$part" -lt "$whole" ] || fail "$model: the arena takes $part bytes with --recompute, $whole without"
done
echo "4 models; 1 passed"
