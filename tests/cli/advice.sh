#!/bin/bash
# A budget that is refused names what fits: each option does, and the next larger one does not.
source "${BASH_SOURCE%/*}/lib/check.bash"
net=(plan --width 0.03 --frames 5 --batch 3 --size 96x64 --threads 2)
checked=0

# advised MEMORY: the options named in the refusal, one alternative a line.
advised() {
    expect 1 "$REEL" "${net[@]}" --memory "$1"
    [ "$(grep -c . "$T/err")" -eq 1 ] || fail "--memory $1: not one line: $(cat "$T/err")"
    sed -n 's/.*computed again; \(.*\) would fit$/\1/p' "$T/err" | sed 's/, / or /g; s/ or /\n/g'
}

# with MEMORY OPTIONS…: the exit code of a plan whose options are replaced by these.
with() {
    local memory=$1 options=(--width 0.03 --threads 2 --memory "$1") name
    shift
    for name in --frames=5 --batch=3 --size=96x64; do
        [[ " $* " == *" ${name%%=*} "* ]] || options+=("$name")
    done
    "$REEL" plan "${options[@]}" "$@" >"$T/out" 2>"$T/err"
}

expect 1 "$REEL" "${net[@]}" --memory 1KiB
least=$(sed -n 's/.*: \([0-9.]*\) MiB are needed.*/\1/p' "$T/err")
grep -q 'again; neither .* would fit alone$' "$T/err" || fail "1 KiB is enough for something: $(cat "$T/err")"
percents=(85 60 40 25)
sanitized && percents=(60) # planning takes minutes
for percent in "${percents[@]}"; do
    memory=$(awk -v m="$least" -v p=$percent 'BEGIN { printf "%dKiB", m * 1024 * p / 100 }')
    advised "$memory" >"$T/advice"
    [ -s "$T/advice" ] || fail "--memory $memory: nothing is advised: $(cat "$T/err")"
    while read -r -a option; do
        with "$memory" "${option[@]}" || fail "--memory $memory: ${option[*]} was advised: $(cat "$T/err")"
        checked=$((checked + 1))
        case "${option[*]}" in
        "--frames 4" | "--batch 2") continue ;; # the next is what was refused
        --frames\ ? | --batch\ ?) next=("${option[0]}" $((option[1] + 1))) ;;
        "--size 32x32") next=(--size 64x32) ;;
        *) continue ;;
        esac
        with "$memory" "${next[@]}" && fail "--memory $memory: ${option[*]} was advised, and ${next[*]} fits"
    done <"$T/advice"
done
[ "$checked" -ge $((2 * ${#percents[@]} - 2)) ] && [ "$checked" -gt 0 ] || fail "only $checked options were advised"
expect 1 "$REEL" train "${data[@]}" --dry-run --width 0.03 --frames 5 --batch 3 --size 96x64 --threads 2 --memory "$memory"
grep -q ' would fit$' "$T/err" || fail "reel train advises nothing: $(cat "$T/err")"
echo "$checked options; 1 passed"
