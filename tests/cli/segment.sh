#!/bin/bash
# `reel segment` on loose videos, folders of masks, data sets and real video: a mask for every frame, with the size of
# the frame and the palette of the given mask, and the given masks where they were given.
source "${BASH_SOURCE%/*}/lib/check.bash"
source "${BASH_SOURCE%/*}/lib/png.bash"
expect 0 train --steps 3 --out "$T/run"
segment() {
    "$REEL" segment --weights "$T/run/last.safetensors" --threads 2 --quiet "$@"
}
names() { (cd "$1" && echo *); }

# unchanged GIVEN FOUND WHAT: two masks show the same objects in the same places. The scoring wants a video of at least
# three frames, so each stands there three times.
unchanged() {
    local side frame
    for side in 1 2; do
        mkdir -p "$T/compare/$side/video"
        for frame in 00000 00001 00002; do cp "${!side}" "$T/compare/$side/video/$frame.png"; done
    done
    expect 0 "$REEL" eval --protocol vosbench --gt "$T/compare/1" --pred "$T/compare/2" --json
    [ "$(number "$T/out" "J&F")" = 1.0 ] || fail "$3: J&F is $(number "$T/out" "J&F")"
}

# Frames that no power of two divides, an object 1 and an object 3, colours of our own.
palette="0 0 0 200 10 20 30 40 50 60 210 70"
boxes=(1 4 5 20 12 3 40 9 15 20)
five="00000.png 00001.png 00002.png 00003.png 00004.png"
expect 0 "$REEL" shapes --out "$T/odd" --videos 1 --frames 5 --size 37x70
frames=$T/odd/JPEGImages/480p/shapes_00000
mkdir "$T/late" "$T/single"
boxes 70 37 "${boxes[@]}" | png 70 37 3 "$palette" >"$T/given.png"
expect 0 segment --frames "$frames" --mask "$T/given.png" --out "$T/deep/masks" --overlay "$T/overlay"
[ "$(names "$T/deep/masks")" = "$five" ] || fail "masks: $(names "$T/deep/masks")"
[ "$(names "$T/overlay")" = "$five" ] || fail "overlays: $(names "$T/overlay")"
for name in $five; do
    [ "$(header "$T/deep/masks/$name")" = "70x37 8 3" ] || fail "$name: $(header "$T/deep/masks/$name")"
    [ "$(colours "$T/deep/masks/$name" 4)" = "$palette" ] || fail "$name: $(colours "$T/deep/masks/$name" 4)"
    [ "$(header "$T/overlay/$name")" = "70x37 8 2" ] || fail "overlay of $name: $(header "$T/overlay/$name")"
done
unchanged "$T/given.png" "$T/deep/masks/00000.png" "the first mask"
expect 0 segment --frames "$frames" --mask "$T/given.png" --out "$T/again"
for name in $five; do same "$T/deep/masks/$name" "$T/again/$name" "the same again, over files that are there"; done

# Grey masks of 0 and 255, in the size of the frames whatever the network's.
expect 0 segment --frames "$frames" --mask "$T/given.png" --out "$T/binary" --binary-255 --size 33x47
for name in $five; do [ "$(header "$T/binary/$name")" = "70x37 8 0" ] || fail "$name: $(header "$T/binary/$name")"; done

# Objects that come late: 1 is given in the first frame, 3 in the third.
boxes 70 37 1 4 5 20 12 | png 70 37 3 "$palette" >"$T/late/00000.png"
boxes 70 37 3 40 9 15 20 | png 70 37 3 "$palette" >"$T/late/00002.png"
expect 0 segment --frames "$frames" --mask "$T/late" --out "$T/found"
unchanged "$T/late/00000.png" "$T/found/00000.png" "the first mask before a late object"
unchanged "$T/late/00002.png" "$T/found/00002.png" "the mask of a late object"
[ "$(names "$T/found")" = "$five" ] || fail "masks with a late object: $(names "$T/found")"

# One frame is a video.
cp "$frames/00000.png" "$T/single"
expect 0 segment --frames "$T/single" --mask "$T/given.png" --out "$T/one"
[ "$(names "$T/one")" = 00000.png ] || fail "a video of one frame: $(names "$T/one")"
same "$T/deep/masks/00000.png" "$T/one/00000.png" "a video of one frame"

# In bf16 the masks are masks, too, and the given one stays.
expect 0 segment --frames "$frames" --mask "$T/given.png" --out "$T/half" --dtype bf16
[ "$(names "$T/half")" = "$five" ] || fail "masks in bf16: $(names "$T/half")"
unchanged "$T/given.png" "$T/half/00000.png" "the first mask in bf16"

# A data set: a folder a video.
expect 0 segment --data "$T/data" --out "$T/set"
[ "$(names "$T/set")" = "shapes_00000 shapes_00001 shapes_00002" ] || fail "videos: $(names "$T/set")"
for video in "$T/set"/*; do
    name=$(basename "$video")
    [ "$(names "$video")" = "$five 00005.png" ] || fail "$name: $(names "$video")"
    expect 0 segment --frames "$T/data/JPEGImages/480p/$name" --mask "$T/data/Annotations/480p/$name/00000.png" \
        --out "$T/loose/$name"
    same "$video/00000.png" "$T/loose/$name/00000.png" "the first mask of $name"
done
expect 0 segment --data moving_shapes --videos 2 --out "$T/made"
[ "$(ls "$T/made" | wc -l)" -eq 2 ] || fail "moving_shapes: $(names "$T/made")"

# Four people who come late, by photograph. One of the masks is a column narrower than its frame, which is refused.
judo=../shared/data/vos_examples
if [ ! -e $judo/masks/judo ]; then
    skip "$judo is absent; a real video with late objects is not tried"
    exit 0
fi
expect 3 segment --frames $judo/images/judo --mask $judo/masks/judo --out "$T/judo"
grep -q '00005.png: the mask is 853 x 480, expected 854 x 480' "$T/err" || fail "judo: $(cat "$T/err")"
mkdir "$T/late-people"
cp $judo/masks/judo/{00000,00008,00013}.png "$T/late-people"
expect 0 segment --frames $judo/images/judo --mask "$T/late-people" --out "$T/judo"
[ "$(ls "$T/judo" | wc -l)" -eq 16 ] || fail "judo: $(names "$T/judo")"
[ "$(header "$T/judo/00008.png")" = "$(header $judo/masks/judo/00008.png)" ] || fail "judo: another size or kind"
unchanged $judo/masks/judo/00000.png "$T/judo/00000.png" "the first mask of judo"
echo "8 kinds of video; 1 passed"
