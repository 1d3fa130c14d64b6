#!/usr/bin/env bash
# Library   numcodecs 0.16.6, BitRound and Quantize of float32, with numpy 2.4.6
# Expected  NaN stays NaN, and 1e30 stays near 1e30: the codecs drop digits, no values
# Seen      BitRound adds half a unit to the bits, so that a NaN with all of them set, the one that CUDA devices make
#           (7fffffff), becomes -0, its negative 0, and a NaN with the lowest bit alone infinity; NumPy's own NaN
#           survives. Quantize(10) multiplies by 2^34 first: 1e30 becomes infinity
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" numcodecs==0.16.6 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import warnings
import numcodecs
import numpy as np

warnings.simplefilter("ignore")

def through(codec, x):
    return np.asarray(codec.decode(codec.encode(x))).view(np.float32)

same = True
for keep in (1, 10, 22):
    nans = np.array([0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001, 0x7FC00000], np.uint32).view(np.float32)
    got = through(numcodecs.BitRound(keep), nans)
    print(f"BitRound({keep}) of the NaN 7fffffff, ffffffff, 7f800001, 7fc00000: {got.tolist()}")
    same &= np.isnan(nans).all() and got[0] == got[1] == 0 and np.signbit(got[0]) and not np.signbit(got[1])
    same &= got[2] == np.inf and np.isnan(got[3])
got = through(numcodecs.Quantize(10, "f4"), np.array([1e30, -1e30, 1e20, 1.234], np.float32))
print("Quantize(10) of 1e30, -1e30, 1e20, 1.234:", got.tolist())
same &= got[0] == np.inf and got[1] == -np.inf and np.allclose(got[2:], [1e20, 1.234], rtol=1e-6)
print("numcodecs 0.16.6 makes numbers of NaN and infinities of numbers" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
