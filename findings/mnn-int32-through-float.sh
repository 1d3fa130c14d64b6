#!/usr/bin/env bash
# Library   MNN 3.6.1 on an x86-64 CPU, MNN.numpy on int32, with numpy 2.4.6
# Expected  max(2147483647, 1) and 2147483647 * 1 are 2147483647, the smallest of (-7, 7) is the first, and fmod has the
#           sign of the dividend, as NumPy has all of it on int32
# Seen      the maximum and the product are -2147483648, 16777217 * 1 is 16777216: int32 goes through float32; argmin
#           reads its bits as floats and finds 7; fmod has the sign of the divisor, and mod of float32 that of the
#           dividend, each the other's
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" MNN==3.6.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import MNN.numpy as mp
import numpy as np

def both(name, *lists, dtype="int32"):
    """The result of MNN and of NumPy, as numbers."""
    theirs = getattr(mp, name)(*(mp.array(v, dtype=getattr(mp, dtype)) for v in lists))
    right = getattr(np, name)(*(np.array(v, dtype) for v in lists))
    got = np.asarray(theirs.read() if hasattr(theirs, "read") else theirs).tolist()
    print(f"{name} of {dtype} {lists}: MNN {got}, NumPy {right.tolist()}")
    return got, right.tolist()

top = 2**31 - 1
same = both("maximum", [top, 3], [1, 2]) == ([-top - 1, 3], [top, 3])
same &= both("multiply", [top, 3], [1, 2]) == ([-top - 1, 6], [top, 6])
same &= both("multiply", [16777217, 3], [1, 2]) == ([16777216, 6], [16777217, 6])
same &= both("argmin", [-7, 7]) == (1, 0)
same &= both("fmod", [-7, 7], [3, -3]) == ([2, -2], [-1, 1])
same &= both("mod", [-7, 7], [3, -3], dtype="float32") == ([-1, 1], [2, -2])
print("MNN 3.6.1 computes int32 in float32" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
