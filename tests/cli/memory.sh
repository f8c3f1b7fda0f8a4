#!/bin/bash
# --memory spends time, not bits: a training within a budget, the tightest as well, leaves the same weights and losses
# for any number of threads, also when it is resumed under another budget; its dry run keeps what was asked for.
source "${BASH_SOURCE%/*}/lib/check.bash"
options=(train "${data[@]}" --width 0.01 --size 32x64 --frames 4 --quiet --clip-batch off)
cost() { # KEY OPTIONS…: from the dry run
    local key=$1
    shift
    expect 0 "$REEL" "${options[@]}" --dry-run --json "$@"
    number "$T/out" "$key"
}
least() { # THREADS: the tightest budget, in bytes, from the refusal of one that is too small
    expect 1 "$REEL" "${options[@]}" --threads "$1" --dry-run --memory 1KiB
    sed -n 's/.*: \([0-9.]*\) MiB are needed.*/\1/p' "$T/err" | awk '{ printf "%d", ($1 + 0.1) * 1048576 }'
}

expect 0 "$REEL" "${options[@]}" --threads 2 --steps 4 --out "$T/whole" --memory 1GiB
expect 0 "$REEL" "${options[@]}" --threads 2 --steps 4 --out "$T/plain"
same_run "$T/whole" "$T/plain" "no budget"
for threads in 1 2 3 8; do
    more=(--threads $threads)
    tight=$(least $threads) whole=$(cost total "${more[@]}" --memory 1GiB)
    [ "$tight" -lt "$whole" ] || fail "nothing can be saved: a step takes $whole bytes, $tight at least"
    for budget in $(((whole + tight) / 2)) "$tight"; do
        told=$(cost total "${more[@]}" --memory "$budget")
        [ "$told" -le "$budget" ] || fail "a step takes $told bytes within a budget of $budget"
        expect 0 "$REEL" "${options[@]}" "${more[@]}" --steps 4 --out "$T/part" --memory "$budget"
        same_run "$T/whole" "$T/part" "--threads $threads --memory $budget"
        rm -r "$T/part"
    done
done

# The tightest cannot do with copies alone: convolutions run again.
awk -v a="$(cost flops --threads 8 --memory "$tight")" -v b="$(cost flops --memory 1GiB)" 'BEGIN { exit !(a > 1.05 * b) }' ||
    fail "the least memory costs no convolutions"

expect 0 "$REEL" "${options[@]}" --threads 2 --steps 2 --out "$T/changed" --memory 1GiB
expect 0 "$REEL" "${options[@]}" --threads 8 --steps 4 --out "$T/changed" --memory "$tight" --recompute --resume
same_run "$T/whole" "$T/changed" "resumed under another budget"
echo "12 trainings; 1 passed"
