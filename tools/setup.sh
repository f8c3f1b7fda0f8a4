#!/bin/sh
# Installs what reel is built with, or says what to install. Usage: [CUDA=1] tools/setup.sh build|test|bench
# build: compiler and libraries, with CUDA=1 also what nvcc builds on (nvcc itself is NVIDIA's to install); test: also
# what the tests use; bench: also what reel is compared with, Debian's torch
# and the newest of PyPI in build/venv. Debian 12 and its relatives.
set -eu

what=${1:-build}
packages="gcc libc6-dev make pkg-config libjpeg-dev libpng-dev zlib1g-dev libjansson-dev"
[ "${CUDA:-0}" = 1 ] && packages="$packages g++"
[ "$what" = test ] && packages="$packages check binutils libopenblas-dev g++"
[ "$what" = bench ] && packages="$packages python3-torch python3-venv"

install_packages() {
    missing=
    for package in $packages; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0

    if ! command -v apt-get >/dev/null 2>&1; then
        echo "reel needs these packages, by the names that Debian gives them:$missing" >&2
        exit 2
    fi
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "reel needs packages that this user may not install; run: sudo apt-get install$missing" >&2
        exit 2
    fi
    echo "installing:$missing"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    # shellcheck disable=SC2086 # package names are words
    { $as_root apt-get -qq update && $as_root apt-get -qq install -y --no-install-recommends $missing; } >/dev/null || {
        echo "installing failed; run: apt-get update && apt-get install$missing" >&2
        exit 2
    }
}

# PyPI's torch comes with the libraries of CUDA whether they are wanted or not. Without it the comparison goes on.
install_newest_torch() {
    venv=build/venv
    [ -x $venv/bin/python3 ] && $venv/bin/python3 -c 'import torch' 2>/dev/null && return 0
    mkdir -p build
    free=$(df -Pk build | awk 'NR == 2 { print int($4 / 1048576) }')
    if [ "$free" -lt 12 ]; then
        echo "PyPI's torch wants 12 GiB of disk while it is installed, $free are free: Debian's alone is compared with"
        return 0
    fi
    echo "installing PyPI's torch in $venv (6 GiB)"
    python=/usr/bin/python3
    [ -x $python ] || python=python3
    { $python -m venv $venv && $venv/bin/pip install --quiet --disable-pip-version-check torch numpy; } ||
        echo "PyPI's torch cannot be installed: Debian's alone is compared with"
}

install_packages
[ "$what" != bench ] || install_newest_torch
