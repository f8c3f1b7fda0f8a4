#!/bin/bash
# How weights are saved, by the system calls: a temporary file in the same folder, written, synced and closed, renamed
# over the old one, the folder synced. What was there before has a second name by then.
source "${BASH_SOURCE%/*}/lib/check.bash"
if ! command -v strace >"$T/out"; then
    skip "strace is absent; the order of system calls is not checked"
    exit 0
fi
if sanitized; then
    skip "the order of system calls is checked without sanitizers only"
    exit 0
fi
if ! strace -f -o "$T/try" true 2>"$T/err"; then
    skip "strace cannot trace here; the order of system calls is not checked"
    exit 0
fi
expect 0 train --steps 1 --out "$T/run"
expect 0 strace -f -y -o "$T/trace" -e trace=openat,write,fsync,close,rename,link,linkat,unlink,unlinkat \
    "$REEL" train "${tiny[@]}" --steps 2 --out "$T/run" --resume

awk -v last="$T/run/last.safetensors" -v folder="$T/run" '
    function step(wanted, name) {
        if (state != wanted) { print "out of order, " name " in state " state ": " $0; bad = 1; exit 1 }
        state = wanted + 1
    }
    index($0, "<... ") { next }
    /link(at)?\(/ && !/unlink/ && index($0, "\"" last "\"") && index($0, "previous.safetensors") { kept = 1 }
    /openat\(/ && index($0, last ".tmp.") && /O_CREAT/ { step(0, "create") }
    / write\(/ && index($0, last ".tmp.") { if (state == 1) state = 2; else if (state != 2) step(2, "write") }
    / fsync\(/ && index($0, last ".tmp.") { step(2, "fsync") }
    / close\(/ && index($0, last ".tmp.") { step(3, "close") }
    / rename\(/ && index($0, last ".tmp.") { step(4, "rename") }
    / fsync\(/ && index($0, "<" folder ">") { if (state == 5) step(5, "fsync of the folder") }
    END {
        if (bad) exit 1
        if (!kept) { print "last.safetensors was not kept as previous.safetensors"; exit 1 }
        if (state != 6) { print "the save stopped in state " state; exit 1 }
    }' "$T/trace" >"$T/why" || fail "$(cat "$T/why")"
[ -e "$T/run/previous.safetensors" ] || fail "the weights before are not kept"
echo "create, write, fsync, close, rename, fsync of the folder; 1 passed"
