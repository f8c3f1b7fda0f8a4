#!/bin/bash
# Builds reel for aarch64 on another machine and runs tests of it in an emulator. Debian 12; the compiler and the emulator
# are packages, the libraries are unpacked beside the build, so that nothing of this machine's own is replaced.
# Usage: tests/aarch64.sh [NAME…]   test programs to run; the default ones touch every kernel and take minutes
# REEL_TEST_OPS="conv2d matmul" names the ops of test_ops to try.
set -eu
out=build/aarch64
root=$PWD/$out/root
libraries=$root/usr/lib/aarch64-linux-gnu
ops=${REEL_TEST_OPS:-conv2d conv2d_input_gradient conv2d_weight_gradient conv_transpose2d matmul add mul exp relu lstm_cell
    softmax cross_entropy adam max_pool2d resize2d}

for needed in aarch64-linux-gnu-gcc qemu-aarch64-static; do
    command -v $needed >/dev/null || {
        echo "$needed is missing; run: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static" >&2
        exit 2
    }
done

# Debian's packages of the other processor, unpacked in $root.
unpack_libraries() {
    local apt=$PWD/$out/apt package
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root"
    local options=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
        -o "Dir::State::lists=$apt/lists" -o Dir::State::status=/dev/null -o "Dir::Cache=$apt")
    apt-get "${options[@]}" update
    (cd "$apt" && apt-get "${options[@]}" download libjpeg62-turbo libjpeg62-turbo-dev libpng16-16 libpng-dev zlib1g \
        zlib1g-dev libjansson4 libjansson-dev check libsubunit0 libsubunit-dev)
    for package in "$apt"/*.deb; do dpkg -x "$package" "$root"; done
    cp -a "$root/lib/aarch64-linux-gnu/." "$libraries" # where a usual system has one folder under two names
}
[ -e "$libraries/libjansson.so" ] || unpack_libraries

export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$root/usr/share/pkgconfig
programs=("$@")
[ $# -gt 0 ] || programs=(test_ops test_isa test_plan test_graph test_safetensors)
make -j2 B=$out CUDA=0 CC=aarch64-linux-gnu-gcc \
    CFLAGS="-g -I$root/usr/include -I${libraries/lib/include} -L$libraries -Wl,-rpath-link,$libraries" \
    $out/reel "${programs[@]/#/$out/tests/}"

emulate() {
    OMP_WAIT_POLICY=passive qemu-aarch64-static -E "LD_LIBRARY_PATH=$libraries" -L /usr/aarch64-linux-gnu "$@"
}
emulate $out/reel --version
for program in "${programs[@]}"; do
    if [ "$program" = test_ops ]; then
        for op in $ops; do REEL_TEST_OP=$op emulate $out/tests/test_ops; done
    else
        emulate "$out/tests/$program"
    fi
done
echo "aarch64: ${#programs[@]} passed, 0 failed"
