#!/bin/sh
# Installs what reel is built with, or says what to install. Usage: tools/setup.sh build|test
# build: compiler and libraries; test: also what the tests use. Debian 12 and its relatives.
set -eu

packages="gcc libc6-dev make pkg-config libjpeg-dev libpng-dev zlib1g-dev libjansson-dev"
[ "${1:-build}" = test ] && packages="$packages check binutils libopenblas-dev"

missing=
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

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
