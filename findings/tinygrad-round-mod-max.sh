#!/usr/bin/env bash
# Library   tinygrad 0.14.0, device PYTHON (its own interpreter of kernels, no compiler), with numpy 2.4.6
# Expected  round leaves a whole number as it is; fmod(a, b) has the sign of a and is smaller than |b|; the maximum of
#           tensors is the same for either order of its operands
# Seen      round changes every odd float32 from 2^23 to 2^24 (8388609 becomes 8388610), int32 8388609 on the way
#           through float32, and odd float64 from 2^52 on, since it adds one half and truncates; fmod(1e10, 3) is -1024
#           (true: 1); maximum(NaN, 1) is NaN and maximum(1, NaN) is 1, so max() of (1, NaN, 2) is 2, of (NaN, 1, 2) NaN
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" tinygrad==0.14.0 numpy==2.4.6
export DEV=PYTHON XDG_CACHE_HOME="$work/cache"
PYTHONPATH="$work/lib" python3 - <<'PY'
import math
import numpy as np
from tinygrad import Tensor

def show(name, got, numpy_result, seen):
    """Prints both results; true while the library gives what was seen."""
    got = np.atleast_1d(got.numpy())
    print(f"{name}: {got.tolist()}, NumPy {np.atleast_1d(numpy_result).tolist()}")
    return np.array_equal(got, np.atleast_1d(seen), equal_nan=True)

whole = np.arange(8388605, 8388614, dtype=np.float32)
integers = np.array([3, 8388609], np.int32)
wide = np.array([2.0 ** 52 - 1, 2.0 ** 52 + 1])
a, b = np.array([1e10, 7], np.float32), np.array([3, -2], np.float32)
x, y = np.array([np.nan, 1], np.float32), np.array([1, np.nan], np.float32)
moved = np.where(whole > 2 ** 23, whole + whole % 2, whole)
same = show("round, float32", Tensor(whole).round(), np.round(whole), moved)
same &= show("round, int32", Tensor(integers).round(), np.round(integers), [3, 8388610])
same &= show("round, float64", Tensor(wide).round(), np.round(wide), [2.0 ** 52 - 1, 2.0 ** 52 + 2])
same &= show("fmod", Tensor(a).fmod(Tensor(b)), np.fmod(a, b), [-1024, 1])
same &= show("maximum", Tensor(x).maximum(Tensor(y)), np.maximum(x, y), [math.nan, 1])
for values, seen in (([1, math.nan, 2], 2), ([math.nan, 1, 2], math.nan)):
    z = np.array(values, np.float32)
    same &= show(f"max of {values}", Tensor(z).max(), z.max(), seen)
print("tinygrad 0.14.0: round moves whole numbers, fmod and max err" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
