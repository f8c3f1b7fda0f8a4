# PNG files from nothing but the shell, so that a test can have any mask it wants. Pixels come as text on standard
# input: numbers, a row of the picture a line.
be32() {
    local hex
    printf -v hex %08x "$1"
    printf "\\x${hex:0:2}\\x${hex:2:2}\\x${hex:4:2}\\x${hex:6:2}"
}

# bytes <NUMBERS: the numbers 0..255 as bytes.
bytes() {
    printf "$(awk '{ for (i = 1; i <= NF; i++) printf "\\%03o", $i }')"
}

# chunk NAME <DATA. The checksum is that of gzip, turned around.
chunk() {
    local crc
    { printf %s "$1" && cat; } >"$T/chunk"
    be32 $(($(stat -c %s "$T/chunk") - 4))
    cat "$T/chunk"
    read -r -a crc < <(gzip -c -n <"$T/chunk" | tail -c 8 | head -c 4 | od -An -v -tx1)
    printf "\\x${crc[3]}\\x${crc[2]}\\x${crc[1]}\\x${crc[0]}"
}

# png WIDTH HEIGHT TYPE [COLOURS] <PIXELS: 8 bits a sample; TYPE 0 is grey, 2 RGB, 3 palette; COLOURS are numbers.
png() {
    sed 's/^/0 /' | bytes >"$T/rows" # no filter
    printf '\x89PNG\r\n\x1a\n'
    { be32 "$1" && be32 "$2" && printf "\\x08\\x0$3\\x00\\x00\\x00"; } | chunk IHDR
    [ "$3" -ne 3 ] || echo "$4" | bytes | chunk PLTE
    {
        printf '\x78\x01'
        gzip -c -n <"$T/rows" | tail -c +11 | head -c -8
        be32 "$(od -An -v -tu1 <"$T/rows" |
            awk 'BEGIN { a = 1 } { for (i = 1; i <= NF; i++) { a = (a + $i) % 65521; b = (b + a) % 65521 } }
                 END { printf "%.0f", b * 65536 + a }')"
    } | chunk IDAT
    chunk IEND </dev/null
}

# boxes WIDTH HEIGHT [ID X Y W H]…: pixels of rectangles on 0.
boxes() {
    awk -v width="$1" -v height="$2" -v list="${*:3}" 'BEGIN {
        n = split(list, b, " ")
        for (y = 0; y < height; y++) {
            row = ""
            for (x = 0; x < width; x++) {
                id = 0
                for (i = 1; i < n; i += 5)
                    if (x >= b[i + 1] && x < b[i + 1] + b[i + 3] && y >= b[i + 2] && y < b[i + 2] + b[i + 4]) id = b[i]
                row = row id " "
            }
            print row
        }
    }'
}

# header FILE: "WIDTHxHEIGHT DEPTH TYPE" of a PNG.
header() {
    od -An -v -tu1 -j 16 -N 10 "$1" | awk '{ print $3 * 256 + $4 "x" $7 * 256 + $8, $9, $10 }'
}

# colours FILE N: the first N entries of its palette, as numbers.
colours() {
    local at
    at=$(grep -a -b -o -m 1 PLTE "$1" | head -n 1 | cut -d: -f1)
    od -An -v -w$((3 * $2)) -tu1 -j $((at + 4)) -N $((3 * $2)) "$1" | xargs
}
