#!/bin/bash
# `make install` into a folder of its own; then a program outside the tree is built from nothing but what was installed,
# once with libreel.so and once with libreel.a, and `make uninstall` takes everything away again.
source "${BASH_SOURCE%/*}/lib/check.bash"
if ! command -v pkg-config >"$T/out"; then
    skip "pkg-config is absent; nothing is compiled against the installed library"
    exit 0
fi
made=(make --no-print-directory "B=$B" "CUDA=$(grep -c . "$B/cuda.libs")" "PREFIX=$T/prefix")
sanitizers=()
if sanitized; then
    made+=(SANITIZE=1)
    sanitizers=(-fsanitize=address,undefined)
fi
expect 0 "${made[@]}" install
cp tests/example/train_xor.c "$T"
cd "$T" || exit 1
export PKG_CONFIG_PATH=$T/prefix/lib/pkgconfig
read -r -a cflags < <(pkg-config --cflags reel)
read -r -a shared < <(pkg-config --libs reel)
read -r -a static < <(pkg-config --static --libs reel | sed 's/-lreel\b//')
strict=(-std=c11 -Wall -Wextra -Werror -Wstrict-prototypes "${sanitizers[@]}")
compiler=${CC:-gcc}

expect 0 "$compiler" "${strict[@]}" "${cflags[@]}" train_xor.c "${shared[@]}" -o shared
expect 0 env LD_LIBRARY_PATH="$T/prefix/lib" ./shared
grep -q '^4 of 4 right$' out || fail "with libreel.so: $(cat out)"
cp out shared.out
expect 0 "$compiler" "${strict[@]}" "${cflags[@]}" train_xor.c "$T/prefix/lib/libreel.a" "${static[@]}" -o static
expect 0 ./static
same shared.out out "libreel.so and libreel.a"

# So are the programs of the course, and one that includes reel.h alone.
examples=$OLDPWD/docs/learn/examples
for source in "$examples"/*.c; do
    name=$(basename "$source" .c)
    expect 0 "$compiler" "${strict[@]}" "${cflags[@]}" "$source" "${shared[@]}" -o "$name"
    expect 0 env LD_LIBRARY_PATH="$T/prefix/lib" "./$name"
    same out "$examples/$name.txt" "what $name prints"
done
{
    echo '#include <reel.h>'
    sed 's/^#include ".*//' "$examples/model.c"
} >alone.c
expect 0 "$compiler" "${strict[@]}" "${cflags[@]}" -fsyntax-only alone.c

# Every public header stands by itself.
for header in $(cd prefix/include/reel && find . -name '*.h' | sort); do
    echo "#include \"${header#./}\"" >one.c
    expect 0 "$compiler" "${strict[@]}" -Wno-unused "${cflags[@]}" -fsyntax-only one.c
done
expect 0 prefix/bin/reel --version
[ "$(cat out)" = "reel $(pkg-config --modversion reel)" ] || fail "versions: $(cat out), $(pkg-config --modversion reel)"
cd "$OLDPWD" || exit 1
expect 0 "${made[@]}" uninstall
left=$(find "$T/prefix" -type f)
[ -z "$left" ] || fail "uninstall leaves $left"

# A folder with a blank in its name, beside one that is called like its first half.
mkdir -p "$T/two" && touch "$T/two/other"
spaced=("${made[@]}" "PREFIX=$T/two words")
expect 0 "${spaced[@]}" install
export PKG_CONFIG_PATH="$T/two words/lib/pkgconfig"
eval "flags=($(pkg-config --cflags --libs reel))"
expect 0 "$compiler" "${strict[@]}" "$T/train_xor.c" "${flags[@]}" -o "$T/spaced"
expect 0 env LD_LIBRARY_PATH="$T/two words/lib" "$T/spaced"
expect 0 "${spaced[@]}" uninstall
left=$(find "$T/two words" -type f)
[ -z "$left" ] || fail "uninstall leaves $left"
[ -e "$T/two/other" ] || fail "uninstall took $T/two with it"
echo "2 ways to link; 1 passed"
