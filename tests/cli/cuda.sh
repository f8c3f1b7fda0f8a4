#!/bin/bash
# The CUDA backend compiled for real: where nvcc is, library and command are built with it, and on a machine without a
# GPU `--device cuda:0` is refused in one line. Where a GPU is, a step of training runs on it.
source "${BASH_SOURCE%/*}/lib/check.bash"

# refused PATTERN DEVICE: one line, exit code 2, and nothing left behind.
refused() {
    expect 2 "$REEL" train "${tiny[@]}" --steps 1 --device "$2" --out "$T/run"
    [ "$(grep -c . "$T/err")" -eq 1 ] || fail "not one line on stderr: $(cat "$T/err")"
    grep -qE "^reel train: device '$2': $1" "$T/err" || fail "'$1' is not said of $2: $(cat "$T/err")"
    [ ! -e "$T/run" ] || fail "a refused training leaves $T/run"
}

if ! grep -q . "$B/cuda.libs"; then
    refused "this build of reel has no CUDA; .* make CUDA=1" cuda:0
    if sanitized; then
        skip "nvcc: sanitizers are for what gcc compiles; the CUDA backend is not compiled"
    elif command -v nvcc >"$T/out" || [ -e /usr/local/cuda/bin/nvcc ]; then
        skip "nvcc: this build is one with CUDA=0; the CUDA backend is not compiled"
    else
        skip "nvcc is absent; the CUDA backend is not compiled"
    fi
    exit 0
fi

for variable in REEL_TF32 REEL_CUBLAS REEL_CUDNN; do
    expect 1 env "$variable=maybe" "$REEL" train "${tiny[@]}" --steps 1 --device cuda:0 --out "$T/run"
    grep -q "^reel train: .*$variable=maybe is not known; expected" "$T/err" || fail "$variable=maybe: $(cat "$T/err")"
done
refused "there is no NVIDIA driver|the driver finds no GPU|there (is|are) [0-9]+ GPU" cuda:1023
if "$REEL" train "${tiny[@]}" --steps 1 --device cuda:0 --out "$T/first" >"$T/out" 2>"$T/err"; then
    expect 0 "$REEL" train "${tiny[@]}" --steps 1 --device cuda:0 --out "$T/second"
    same_run "$T/first" "$T/second" "two steps on cuda:0"
else
    refused "there is no NVIDIA driver|the driver finds no GPU|.* architecture [0-9.]+, for which" cuda:0
fi
echo "1 passed"
