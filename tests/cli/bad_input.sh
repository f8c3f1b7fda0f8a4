#!/bin/bash
# What a person does wrong: every command line of the table ends with its exit code and one line on stderr that says
# what, where and what was expected. Exit codes: 1 usage, 2 environment, 3 bad data, 4 input or output.
source "${BASH_SOURCE%/*}/lib/check.bash"
source "${BASH_SOURCE%/*}/lib/png.bash"
cd "$T" || exit 1
cases=0

# refuses CODE 'PATTERN' ARGUMENTS…: the arguments of reel; the pattern is an extended regular expression.
refuses() {
    local want=$1 pattern=$2
    shift 2
    cases=$((cases + 1))
    expect "$want" "$REEL" "$@"
    [ "$(grep -c . err)" -eq 1 ] || fail "not one line on stderr: $* | $(cat err)"
    grep -qE -e "$pattern" err || fail "the message does not match '$pattern': $* | $(cat err)"
    grep -qE '^reel' err || fail "the message does not begin with the command: $* | $(cat err)"
}

# --- the command line ---
refuses 1 "unknown command 'trian'; did you mean 'train'" trian
refuses 1 "unknown option --stpes; did you mean --steps" train --stpes 3
refuses 1 "unknown option -s" train -s 3
refuses 1 "unexpected argument 'data'" train data
refuses 1 "--data is missing" train --out run
refuses 1 "--out is required" train --data data --split val --width 0.01 --size 32x64
refuses 1 "--steps needs a value" train --steps --json
refuses 1 "--steps: 'ten' is not a whole number in 1\.\.1e\+09" train --steps ten
refuses 1 "--steps: '' is not a whole number" train --steps=
refuses 1 "--steps: '1.5' is not" train --steps 1.5
refuses 1 "--steps: '0' is not" train --steps 0
refuses 1 "--steps: '99999999999' is not" train --steps 99999999999
refuses 1 "--lr: 'nan' is not a number" train --lr nan
refuses 1 "--lr: '0,1' is not a number" train --lr 0,1
refuses 1 "--width: '0' is not a number in 0.001\.\.4" train --width 0
refuses 1 "--seed: '-1' is not a whole number from 0" train --seed -1
refuses 1 "--memory: '4GB' is not an amount of memory such as 4GiB" train --memory 4GB
refuses 1 "--memory: '-1GiB' is not an amount" train --memory -1GiB
refuses 1 "--memory: '0' is not an amount" train --memory 0
refuses 1 "--memory: '1e99' is not an amount" train --memory 1e99
refuses 1 "--memory: 'nan' is not an amount" train --memory nan
refuses 1 "a memory budget of 1.0 MiB cannot be met: [0-9.]+ MiB are needed" train --data moving_shapes --dry-run \
    --width 0.01 --size 32x64 --frames 2 --memory 1MiB
refuses 1 "--shortest 3 is for --lengthen, which is missing" train --data moving_shapes --dry-run --shortest 3
refuses 1 "--shortest 6 is more than --frames 5" train --data moving_shapes --dry-run --shortest 6 --lengthen 10
refuses 1 "--json takes no value" train --json=yes
refuses 1 "--steps is given twice" train --steps 1 --steps 2
refuses 1 "--model: 's3s' is none of s2s\|s2s" train --model s3s
refuses 1 "--size: '4x64' is not a size HxW .* in 8\.\.4096" train --size 4x64
refuses 1 "--size: '32x99999' is not a size" train --size 32x99999
refuses 1 "--size: '32' is not a size" train --size 32
refuses 1 "--bin 5 is wider than --border 3" train --data data --bin 5 --border 3
refuses 2 "device 'gpu7': .* has the devices cpu" train --data data --device gpu7 --out run
tiny=(bench infer --width 0.01 --size 8x8 --steps 1 --warmup 0)
REEL_ISA=sse9 refuses 1 "REEL_ISA=sse9 is no instruction set; known are portable, avx2, avx512, amx" "${tiny[@]}"
REEL_ISA=sse9 refuses 1 "REEL_ISA=sse9 is no instruction set" ops
REEL_ISA=sse9 refuses 1 "REEL_ISA=sse9 is no instruction set" ops conv2d --json
REEL_WINOGRAD=yes refuses 1 "REEL_WINOGRAD=yes is neither on nor off" "${tiny[@]}"
if ! REEL_ISA=amx "$REEL" "${tiny[@]}" >out 2>err; then
    REEL_ISA=amx refuses 2 "REEL_ISA=amx: this machine .*; it runs portable" "${tiny[@]}"
fi
REEL_ISA=portable expect 0 "$REEL" "${tiny[@]}"
refuses 1 "either --frames DIR with --mask PNG, or --data DIR" segment --weights w --out o

# --- options that would do nothing ---
refuses 1 "--momentum is for --optimiser sgd; leave it away or say that" train --data data --out run --momentum 0.5
refuses 1 "--split is not for --data moving_shapes" train --data moving_shapes --out run --split val
refuses 1 "--layout is not for --data moving_shapes" train --data moving_shapes --out run --layout ytvos
refuses 1 "--split is for --data" segment --copy-first --frames data --mask m --out o --split val
refuses 1 "--split is not for --data moving_shapes" segment --copy-first --data moving_shapes --out o --split val
refuses 1 "--videos is for --data moving_shapes" segment --copy-first --data data --out o --videos 3
refuses 1 "--dtype is not for --copy-first" segment --copy-first --data data --out o --dtype bf16
refuses 1 "--seen is for --protocol ytvos" eval --protocol davis2016 --gt data --pred o --seen s
refuses 1 "--skip-last is for --protocol ytvos" eval --protocol vosbench --gt data --pred o --skip-last on
refuses 1 "--bandwidth is for --ops" plan --bandwidth 3
refuses 1 "--svg is not for --ops" plan --ops --svg f.svg
refuses 1 "--recompute is for --backward" graph --recompute
refuses 1 "--profile is for train; leave it away or say that" bench infer --profile
refuses 1 "--profile is not for --json; leave it away" bench train --profile --json
refuses 1 "--input is for OP" gradcheck --input 2x3
refuses 1 "--width is not for OP" gradcheck relu --input 2x3 --width 0.1

# --- data sets ---
with=(--width 0.01 --size 32x64 --frames 2 --quiet --threads 2)
refuses 4 "missing: " train --data missing --out run "${with[@]}"
refuses 4 "err: " train --data err --out run "${with[@]}"
refuses 4 "data/ImageSets/2017/nosuch.txt: " train --data data --split nosuch --out run "${with[@]}"
mkdir nothing
refuses 3 "nothing: " train --data nothing --out run "${with[@]}"
cp -r data gap
rm gap/Annotations/480p/shapes_00001/00000.png
refuses 4 "gap/Annotations/480p/shapes_00001/00000.png: the mask is missing" train --data gap --split val --out run "${with[@]}"
cp -r data cut
for video in cut/JPEGImages/480p/*; do
    for frame in "$video"/*; do head -c 300 "$frame" >short && cp short "$frame"; done
done
refuses 3 "cut/JPEGImages/480p/shapes_0000[0-2]/0000[0-5].png: " train --data cut --split val --out run "${with[@]}"
[ ! -e run/last.safetensors ] || fail "a run without a step has weights"
expect 3 "$REEL" verify cut --split val
[ "$(grep -c 'cut/JPEGImages.*png' out)" -ge 18 ] || fail "verify does not list all 18 damaged frames: $(head -n 3 out)"

refuses 4 "data/ImageSets: has no list vall.txt; --split all scores every video" \
    eval --protocol davis2017 --gt data --pred data/Annotations/480p --split vall

# --- weights ---
train=("$REEL" train --data data --split val "${with[@]}")
expect 0 "${train[@]}" --steps 2 --out good
frames=data/JPEGImages/480p/shapes_00000
mask=data/Annotations/480p/shapes_00000/00000.png
weights=good/last.safetensors
segment=(--frames "$frames" --mask "$mask" --out masks --quiet --threads 2)
refuses 4 "none: " segment --weights none "${segment[@]}"
refuses 4 "good: is a directory" segment --weights good "${segment[@]}"
: >w
refuses 3 "w: " segment --weights w "${segment[@]}"
head -c 5000 $weights >w
refuses 3 "w: " segment --weights w "${segment[@]}"
size=$(stat -c %s $weights)
head -c $((size - 2)) $weights >w
refuses 3 "w: " segment --weights w "${segment[@]}"
head -c 4096 /dev/urandom >w
refuses 3 "w: " segment --weights w "${segment[@]}"
mkdir flipped
for at in 3 100 $((size / 2)) $((size - 1)); do # a single bit that is wrong, wherever it is
    cp $weights flipped
    old=$(od -An -tu1 -j $at -N 1 $weights)
    printf "\\x$(printf %02x $((old ^ 4)))" | dd of=flipped/last.safetensors bs=1 seek=$at conv=notrunc status=none
    refuses 3 "flipped/last.safetensors: " "${train[@]:1}" --steps 9 --out flipped --resume
done
expect 0 "$REEL" train --data data --split val --model s2s "${with[@]}" --steps 1 --out other
refuses 1 "good/last.safetensors: was trained with model s2s\+\+, this run asks for s2s" \
    train --data data --split val --model s2s "${with[@]}" --steps 9 --out good --resume
refuses 1 "good/last.safetensors: was trained with width 0.01.*, this run asks for 0.02" \
    train --data data --split val --width 0.02 --size 32x64 --frames 2 --steps 9 --out good --resume
refuses 1 "good/last.safetensors: was trained with top compact, this run asks for fcn" \
    train --data data --split val --top fcn "${with[@]}" --steps 9 --out good --resume

# stored METADATA ENTRIES BYTES: a safetensors file as another program might write it, all zeros.
stored() {
    local json="{\"__metadata__\":{$1},$2}"
    { be32 0 | tail -c 0 && printf "\\x$(printf %02x $((${#json} % 256)))\\x$(printf %02x $((${#json} / 256)))"; } >w
    { printf '\0\0\0\0\0\0%s' "$json" && head -c "$3" /dev/zero; } >>w
}
network='"reel.model":"s2s","reel.top":"compact","reel.width":"0.01","reel.size":"32x64","reel.border":"20","reel.bin":"1"'
stored '"format":"pt"' '"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}' 4
refuses 3 "w: has no parameter of this network" "${train[@]:1}" --out fresh --init w
refuses 3 "w: its metadata do not tell the network .*reel train" segment --weights w "${segment[@]}"
stored "$network" '"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}' 4
refuses 3 "w: [0-9]+ parameters do not fit this network: .* is missing" segment --weights w "${segment[@]}"
stored "$network" '"init_vgg.features.0.bias":{"dtype":"F32","shape":[7],"data_offsets":[0,28]}' 28
refuses 3 "w: [0-9]+ parameters do not fit .*init_vgg.features.0.bias is F32 \[7\], wanted \[8\]" segment --weights w "${segment[@]}"

# --- frames and masks ---
segment() { # CODE 'PATTERN' FRAMES MASK
    refuses "$1" "$2" segment --weights $weights --frames "$3" --mask "$4" --out masks --quiet --threads 2
}
segment 4 "nowhere: " nowhere "$mask"
segment 4 "nowhere.png: " "$frames" nowhere.png
segment 4 "$mask: " "$mask" "$mask"
segment 3 "nothing: .*no frames" nothing "$mask"
segment 3 "nothing: " "$frames" nothing
boxes 60 30 1 5 5 9 9 | png 60 30 0 >mask.png
segment 3 "mask.png: the mask is 60 x 30, expected 64 x 32" "$frames" mask.png
boxes 64 32 | png 64 32 0 >mask.png
segment 3 "mask.png: marks no object" "$frames" mask.png
boxes 64 32 255 5 5 9 9 | png 64 32 0 >mask.png
segment 3 "mask.png: marks no object, .* from 1 to 254 .*; 255 is void" "$frames" mask.png
boxes 64 32 9 5 5 9 9 | png 64 32 3 "0 0 0 9 9 9" >mask.png # an id needs no colour of its own
expect 0 "$REEL" segment --weights $weights --frames "$frames" --mask mask.png --out colourless --quiet
boxes 192 32 7 5 5 9 9 | png 64 32 2 >mask.png
segment 3 "mask.png: the mask .*, expected a palette or grey PNG" "$frames" mask.png
cp err mask.png
segment 3 "mask.png: " "$frames" mask.png
cp -r "$frames" holes
rm holes/00003.png
segment 3 "holes: a frame is missing between 00002 and 00004" holes "$mask"
cp -r "$frames" short-frame
head -c 200 "$frames/00002.png" >short-frame/00002.png
segment 3 "short-frame/00002.png: " short-frame "$mask"
cp -r "$frames" odd-frame
boxes 192 30 | png 64 30 2 >odd-frame/00000.png
segment 3 "the mask is 64 x 32, expected 64 x 30" odd-frame "$mask"
rm -r odd-frame
cp -r "$frames" odd-frame
boxes 192 30 | png 64 30 2 >odd-frame/00002.png
segment 3 "odd-frame/00002.png: the frame is 64 x 30, expected 64 x 32 as the first" odd-frame "$mask"
refuses 3 "odd-frame/00002.png: the frame is 64 x 30" segment --copy-first --frames odd-frame --mask "$mask" --out masks --quiet
refuses 4 "err/masks|err: " segment --weights $weights --frames "$frames" --mask "$mask" --out err/masks --quiet

# Nothing that was given is written over, by whatever way its folder is named.
cp -r data given
ln -s given/JPEGImages/480p/shapes_00000 film
mkdir painted
cp "$mask" painted/00000.png
refuses 1 "--out: given/JPEGImages/480p/../480p/shapes_00000 holds the frames of the video" segment --weights $weights --frames film --mask "$mask" \
    --out given/JPEGImages/480p/../480p/shapes_00000
refuses 1 "--overlay: film/ holds the frames" segment --weights $weights --frames film --mask "$mask" --out masks --overlay film/
refuses 1 "--out: painted/00000.png is a mask that was given" segment --weights $weights --frames film --mask painted --out painted
refuses 1 "--out: painted/00000.png is a mask that was given" segment --weights $weights --frames film \
    --mask painted/00000.png --out painted
refuses 1 "--overlay: new is --out too" segment --weights $weights --frames film --mask "$mask" --out new --overlay new
refuses 1 "--out: given/JPEGImages/480p/shapes_00000 holds the frames" segment --weights $weights --data given \
    --out given/JPEGImages/480p
refuses 1 "--out: given/Annotations/480p/shapes_00000/00000.png is a mask" segment --weights $weights --data given \
    --out given/Annotations/480p
diff -r data given || fail "segmenting changed the data set"
expect 0 "$REEL" segment --weights $weights --frames film --mask painted/00000.png --out . --quiet # other names
rm 0000?.png

# --- the run folder ---
refuses 4 "err/run|err: " "${train[@]:1}" --out err/run
refuses 1 "good: holds a run already; go on with --resume" "${train[@]:1}" --out good
refuses 4 "fresh.*/last.safetensors: not found, there is nothing to resume" \
    "${train[@]:1}" --out fresh2 --resume
[ ! -e fresh2 ] || fail "there was nothing to resume, and yet a folder was made"
refuses 3 "good/last.safetensors: [0-9]+ parameters do not fit this optimiser.*; and [0-9]+ more$" \
    "${train[@]:1}" --steps 9 --out good --resume --optimiser sgd
refuses 3 "good/last.safetensors: features.0.weight is missing or does not fit" "${train[@]:1}" --out fresh --vgg16 $weights
mkdir diary
for more in "--out diary" "--out good --resume"; do
    read -r -a options <<<"$more"
    cp "${options[1]}/log.csv" kept 2>none || :
    echo "monday,it rained" >"${options[1]}/log.csv"
    refuses 3 "${options[1]}/log.csv: is no log of a training" "${train[@]:1}" --steps 9 "${options[@]}"
    grep -q rained "${options[1]}/log.csv" || fail "$more: a file that is no log was replaced"
done
cp kept good/log.csv
exec 9>>good/lock
if command -v flock >out && flock -n 9; then
    refuses 4 "good: another process is training in this folder" "${train[@]:1}" --out good --resume
else
    skip "flock is absent; a run that is in use is not tried"
fi
exec 9>&-

# A full disk: exit code 4, the weights of before stay whole, no temporary file is left.
cp $weights before
refuse_full() { # COMMAND…: with files of at most 100 KiB
    (
        ulimit -f 100
        expect 4 "$@"
    ) || exit 1
}
refuse_full "${train[@]}" --steps 9 --out good --resume
grep -qE 'last.safetensors: .*(the old file is unchanged|too large)' err || fail "a file over the limit: $(cat err)"
same $weights before "the weights after a save that failed"
[ "$(cd good && echo *)" = "last.safetensors lock log.csv loss.svg previous.safetensors" ] ||
    fail "a save that failed leaves files: $(ls good)"
expect 0 "${train[@]}" --steps 2 --out straight
expect 0 "${train[@]}" --steps 4 --out good --resume
expect 0 "${train[@]}" --steps 4 --out straight --resume
same_run good straight "going on after a save that failed"
long=$(printf 'abcdefghi/%.0s' {1..210})
refuses 1 "the path is too long" shapes --out "$long" --videos 1
refuses 1 "the path is too long" segment --copy-first --data moving_shapes --videos 1 --out "$long"
refuses 1 "data/JPEGImages: is there already; choose another --out" shapes --out data --videos 1
refuse_full "$REEL" shapes --out full --videos 1 --size 512x512 --frames 2

# --- numbers that explode: the step that sees it names the layer, changes nothing and ends the run ---
refuses 5 "step [0-9]+: the loss is .*; .* is the first with a NaN or infinity; nothing was changed" \
    "${train[@]:1}" --optimiser sgd --lr 10 --steps 1000 --save-every 1 --out wild
steps=$(($(grep -c . wild/log.csv) - 1))
grep -qE "step $((steps + 1)): " err || fail "the log has $steps steps, the message says $(cat err)"
grep -qiE 'nan|inf' <(cut -d, -f1-5,7 wild/log.csv) && fail "the log holds a step that was refused"

# --- not wrong: sizes that no pooling divides ---
for odd in 33x47 8x9 41x32; do
    expect 0 "$REEL" train --data data --split val --width 0.01 --size $odd --frames 1 --steps 1 --quiet --out "odd$odd"
    expect 0 "$REEL" segment --weights "odd$odd/last.safetensors" --frames "$frames" --mask "$mask" --out "odd$odd/masks"
    [ "$(header "odd$odd/masks/00004.png")" = "64x32 8 3" ] || fail "--size $odd: $(header "odd$odd/masks/00004.png")"
done
echo "$cases mistakes; 1 passed"
