#!/bin/bash
# What `reel plan` tells of the arena: the same bytes as the dry run, kinds that add up to the peak, tensors that are
# alive there, and a picture with a rectangle for each tensor.
source "${BASH_SOURCE%/*}/lib/check.bash"
net=(--width 0.01 --size 32x64 --frames 3 --threads 2)
for more in "" "--clip-batch off" --recompute "--memory 8MiB"; do
    expect 0 "$REEL" train --data moving_shapes "${net[@]}" $more --dry-run --json
    arena=$(number "$T/out" arena)
    expect 0 "$REEL" plan "${net[@]}" $more --count 100000 --json --svg "$T/arena.svg"
    [ "$(number "$T/out" arena)" = "$arena" ] || fail "plan $more: arena $(number "$T/out" arena), dry run $arena"
    sum=0
    for kind in activations "computed again" gradients "weights' gradients"; do
        sum=$((sum + $(number "$T/out" "$kind")))
    done
    peak=$(sed 's/.*"peak"//' "$T/out" >"$T/peak" && number "$T/peak" bytes)
    [ "$sum" = "$peak" ] || fail "plan $more: the kinds add up to $sum bytes, the peak is $peak"
    [ "$peak" -le "$arena" ] || fail "plan $more: $peak bytes live in an arena of $arena"
    node=$(number "$T/peak" node)
    grep -o '"bytes": [0-9]*, "offset": [0-9]*, "first": [0-9]*, "last": [0-9]*' "$T/peak" | tr -dc '0-9 \n' |
        awk -v peak="$peak" -v node="$node" -v arena="$arena" '{
            sum += $1
            if ($3 > node || $4 < node || $1 + $2 > arena) wrong = 1
        }
        END { exit wrong || sum != peak }' || fail "plan $more: the listed tensors are not those of the peak"
    drawn=$(grep -c '<title>' "$T/arena.svg")
    [ "$drawn" = "$(number "$T/out" tensors)" ] || fail "plan $more: $drawn rectangles for $(number "$T/out" tensors) tensors"
    tail -n 1 "$T/arena.svg" | grep -q '</svg>$' || fail "plan $more: the picture has no end"
done
expect 0 "$REEL" plan "${net[@]}" --count 3
[ "$(grep -c ' to .* \[' "$T/out")" = 3 ] || fail "--count 3 lists $(grep -c ' to .* \[' "$T/out") tensors"
expect 4 "$REEL" plan "${net[@]}" --svg "$T/none/arena.svg"
expect 1 "$REEL" plan "${net[@]}" --memory 1KiB
echo "4 plans; 1 passed"
