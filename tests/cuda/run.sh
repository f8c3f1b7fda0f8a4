#!/bin/bash
# Runs the tests of the CUDA backend on the first GPU, then again under each tool of compute-sanitizer, where that is;
# `make test-cuda` builds them first. B is the build folder, P the folder of the programs.
set -u
B=${B:-build}
P=${P:-$B/gpu}
logs=$B/test-cuda-logs
mkdir -p "$logs"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=passive
passed=0 failed=0 skipped=0

# run NAME COMMAND…: one test with its log; the end of a failure is shown.
run() {
    local name=$1 started=$SECONDS code=0
    shift
    "$@" >"$logs/$name.log" 2>&1 </dev/null || code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok    $name ($((SECONDS - started)) s)"
    else
        failed=$((failed + 1))
        echo "FAIL  $name (exit $code), all of it in $logs/$name.log"
        tail -n 40 "$logs/$name.log" | sed 's/^/      /'
    fi
}

none=$("$B/reel" train --data moving_shapes --width 0.01 --size 32x64 --frames 1 --dry-run --device cuda:0 2>&1 >"$work/out") || {
    echo "test-cuda needs a GPU: $none"
    exit 2
}
tar xzf tests/golden/compact.tar.gz -C "$work" || exit 1

run test_cuda "$P/test_cuda"
run test_cuda-exact env REEL_TF32=off "$P/test_cuda"
run test_cuda-own env REEL_CUBLAS=off "$P/test_cuda"
# cuDNN as a second opinion, where the loader finds it.
paths=${LD_LIBRARY_PATH:-}
if { ldconfig -p; ls ${paths//:/ }; } 2>"$work/none" | grep -q 'libcudnn\.so\.[89]'; then
    for op in conv2d conv2d_input_gradient conv2d_weight_gradient conv_transpose2d; do
        run "test_cuda-cudnn-$op" env REEL_CUDNN=on REEL_TF32=off REEL_TEST_OP=$op "$P/test_cuda"
    done
else
    skipped=$((skipped + 1))
    echo "SKIP  test_cuda-cudnn: cuDNN is absent"
fi
run test_cuda_tensor "$P/test_cuda_tensor"
run test_cuda_training "$P/test_cuda_training"
run golden "$P/golden" "$work/compact" cuda:0
run command env B="$B" REEL="$PWD/$B/reel" bash tests/cli/cuda.sh

# Calls of the runtime that fail are made to fail here, and none of the tool's business. Arrays are without guards, so
# that it sees a step outside of them.
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>"$work/none")
for tool in memcheck racecheck initcheck synccheck; do
    if [ -z "$sanitizer" ]; then
        skipped=$((skipped + 1))
        echo "SKIP  $tool: compute-sanitizer is absent"
        continue
    fi
    watched=("$sanitizer" --tool "$tool" --report-api-errors no --error-exitcode 9)
    run "$tool-test_cuda" env REEL_TEST_GUARD=0 "${watched[@]}" "$P/test_cuda"
    run "$tool-test_cuda_tensor" "${watched[@]}" "$P/test_cuda_tensor"
    run "$tool-test_cuda_training" "${watched[@]}" "$P/test_cuda_training"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
