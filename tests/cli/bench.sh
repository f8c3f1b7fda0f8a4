#!/bin/bash
# What `reel bench` prints for programs: every key, numbers that are numbers, and as many layers as the network has.
source "${BASH_SOURCE%/*}/lib/check.bash"
small=(--width 0.01 --size 32x64 --frames 2 --threads 2)

# keys NAME…: the JSON in $T/out has them all, on one line.
keys() {
    local key
    [ "$(grep -c . "$T/out")" -eq 1 ] || fail "not one line: $(head -n 3 "$T/out")"
    for key in "$@"; do grep -q "\"$key\": " "$T/out" || fail "no key $key in $(cat "$T/out")"; done
}
positive() {
    local key
    for key in "$@"; do
        awk -v x="$(number "$T/out" "$key")" 'BEGIN { exit !(x > 0) }' || fail "$key is not above zero: $(cat "$T/out")"
    done
}

for what in train infer; do
    expect 0 "$REEL" bench $what "${small[@]}" --steps 2 --warmup 0 --json
    keys peer what model top width size frames batch dtype device channels_last min median max peak_rss_mib \
        parameters gflops isa
    positive peak_rss_mib parameters
done

expect 0 "$REEL" bench peaks --threads 1 --json
keys isa threads peaks name unit one all
grep -oE '"(one|all)": (inf|nan|-)' "$T/out" && fail "a peak is no number: $(cat "$T/out")"

# The peak is measured twice a layer, which takes a hundred times longer with sanitizers: the smaller network will do.
sanitized && small+=(--model s2s)
expect 0 "$REEL" bench layers "${small[@]}" --repeats 1 --json
keys isa threads layers scope geometry height width dtype peak_gflops forward input_gradient weight_gradient \
    forward forward_80 all_60
layers=$(grep -o '"scope"' "$T/out" | wc -l)
[ "$layers" -ge 12 ] || fail "the network has $layers different convolutions"
grep -oE '"gflops": (inf|nan|-)' "$T/out" && fail "a layer without a rate: $(cat "$T/out")"
if ! sanitized; then
    expect 0 "$REEL" bench layers "${small[@]}" --repeats 1 --dtype bf16
    grep -q "^[0-9]* of [0-9]* layers reach 80 %" "$T/out" || fail "no count of layers: $(tail -n 1 "$T/out")"
fi

expect 1 "$REEL" bench layers --dtype fp64
expect 1 "$REEL" bench peaks --steps 3
expect 1 "$REEL" bench
echo "1 passed"
