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

# What ops cost: the operations of the dry run, which counts sources and views, too; bytes over one ceiling, operations
# over the other, and under both no less than under either.
expect 0 "$REEL" train --data moving_shapes "${net[@]}" --dry-run --json
flops=$(number "$T/out" flops)
seconds() {
    expect 0 "$REEL" plan "${net[@]}" --ops --json "$@"
    sed 's/.*"all"//' "$T/out" >"$T/all"
    number "$T/all" seconds
}
bytes=$(seconds --bandwidth 1e-12)
operations=$(seconds --arithmetic 1e-12)
both=$(seconds --bandwidth 1e-12 --arithmetic 1e-12)
awk -v flops="$flops" -v of_all="$(number "$T/all" flops)" -v bytes="$bytes" -v of_bytes="$(number "$T/all" bytes)" \
    -v operations="$operations" -v both="$both" 'function far(a, b) { return a < b * (1 - 1e-9) || a > b * (1 + 1e-9) }
    BEGIN { exit of_all > flops || of_all < 0.99 * flops || far(operations, of_all) || far(bytes, of_bytes) || both < bytes ||
                 both < operations || both > 0.99 * (bytes + operations) }' ||
    fail "--ops: $flops operations, $operations seconds for them, $bytes for the bytes, $both for both"
expect 0 "$REEL" plan "${net[@]}" --ops --bandwidth 4.8 --arithmetic 989
awk '/^all/ { ok = $2 == nodes; next } { nodes += $3 } END { exit !ok }' "$T/out" || fail "--ops: nodes do not add up"
expect 1 "$REEL" plan "${net[@]}" --ops --bandwidth -1
expect 4 "$REEL" plan "${net[@]}" --svg "$T/none/arena.svg"
expect 1 "$REEL" plan "${net[@]}" --memory 1KiB
echo "4 plans; 1 passed"
