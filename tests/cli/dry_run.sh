#!/bin/bash
# What --dry-run says of a training step: parameters exactly, memory within 5 % of what a training then takes, at once
# and in little memory whatever the size.
source "${BASH_SOURCE%/*}/lib/check.bash"

# Parameters of S2S and S2S++ at full width, counted by hand from the layers (top: the authors' classifier).
while read -r model top parameters; do
    expect 0 "$REEL" train --data moving_shapes --model "$model" --top "$top" --dry-run --json
    [ "$(number "$T/out" parameters)" = "$parameters" ] ||
        fail "$model --top $top has $(number "$T/out" parameters) parameters, expected $parameters"
done <<'TABLE'
s2s++ authors 429260841
s2s++ compact 99013161
TABLE

# Saying it takes neither memory nor time, at any size: the largest network, long clips and many of them.
if ! sanitized; then
    (ulimit -v 400000 && ulimit -t 5 &&
        "$REEL" train --data moving_shapes --top authors --size 512x896 --frames 20 --batch 8 --dry-run --threads 1) \
        >"$T/out" 2>"$T/err" || fail "a dry run wants more than 400 MB or 5 s: $(cat "$T/err")"
    grep -q '^memory .* MiB at the peak' "$T/out" || fail "no line about memory: $(head -n 5 "$T/out")"
fi

# near NAME MEASURED BASELINE PREDICTED: MiB, MiB, bytes.
near() {
    awk -v name="$1" -v peak="$2" -v base="$3" -v bytes="$4" 'BEGIN {
        said = bytes / 1048576; took = peak - base; off = 100 * (took - said) / said
        printf "%s: %.0f MiB said, %.0f taken beyond the %.0f of the smallest net, %+.1f %%\n", name, said, took, base, off
        exit off > 5 || off < -5
    }' || fail "$1: --dry-run is off by more than 5 %"
}

if sanitized; then
    skip "memory is measured without sanitizers only"
    exit 0
fi
small=(--width 0.01 --size 32x32 --frames 1 --threads 2)
large=(--width 0.25 --size 128x224 --frames 4 --threads 2)
# bench reads no clips, so what the host needs for them is not in it.
for more in "" "--dtype bf16" --recompute; do
    expect 0 "$REEL" train --data moving_shapes "${large[@]}" $more --dry-run --json
    said=$(number "$T/out" total) host=$(number "$T/out" host)
    expect 0 "$REEL" bench train "${small[@]}" --steps 1 --warmup 0 --json
    base=$(number "$T/out" peak_rss_mib)
    expect 0 "$REEL" bench train "${large[@]}" $more --steps 1 --warmup 0 --json
    near "bench $more" "$(number "$T/out" peak_rss_mib)" "$base" $((said - host))
done

# The same of a training with files, workers, optimiser, log and checkpoint.
if [ ! -x /usr/bin/time ]; then
    skip "/usr/bin/time is absent; the memory of reel train is not measured"
    exit 0
fi
"$REEL" shapes --out "$T/large" --videos 2 --frames 6 --size 128x224
taken() { # OPTIONS…: MiB of a training of one step
    rm -rf "$T/run"
    expect 0 /usr/bin/time -f %M -o "$T/peak" "$REEL" train --data "$T/large" --split val --steps 1 --quiet \
        --out "$T/run" "$@"
    awk '{ print $1 / 1024 }' "$T/peak"
}
base=$(taken "${small[@]}")
for more in --recompute "--memory 150MiB"; do
    expect 0 "$REEL" train --data moving_shapes "${large[@]}" $more --dry-run --json
    said=$(number "$T/out" total)
    near "train $more" "$(taken "${large[@]}" $more)" "$base" "$said"
done
echo "5 measurements; 1 passed"
