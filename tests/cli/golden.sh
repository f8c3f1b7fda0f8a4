# S2S++ against torch: the stored network of one seed, and, where torch is at hand, a fresh one of every top.
# The stored one is what `tools/s2spp_torch.py golden compact --seed 1` wrote under torch 1.13, without after20.*.
source "${BASH_SOURCE%/*}/lib/check.bash"

tar xzf tests/golden/compact.tar.gz -C "$T" || fail "tests/golden/compact.tar.gz cannot be unpacked"
"$B/tests/golden" "$T/compact" || fail "the stored network of seed 1"
echo "cuda:0, emulated, without the losses of Adam"
"$B/tests/golden" "$T/compact" cuda:0 0 || fail "the stored network of seed 1 on an emulated GPU"

if ! python3 -c 'import torch' 2>"$T/no-torch" && ! /usr/bin/python3 -c 'import torch' 2>"$T/no-torch"; then
    skip "python3-torch is absent; the tops fcn and authors and fresh seeds are not compared"
    exit 0
fi
python=python3
python3 -c 'import torch' 2>"$T/no-torch" || python=/usr/bin/python3
for top in compact fcn authors; do
    "$python" tools/s2spp_torch.py golden "$T/$top-2" --seed 2 --top "$top" >"$T/made" 2>&1 || fail "torch: $(tail -n 1 "$T/made")"
    "$B/tests/golden" "$T/$top-2" || fail "top $top, seed 2"
done
