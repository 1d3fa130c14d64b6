#!/usr/bin/env bash
# Library   ml_dtypes 0.7.0 under numpy 2.4.6: sum, mean and cumsum of its floats
# Expected  the mean of 4096 ones is 1, as for float16, whose means NumPy documents to be taken in float32; their sum is
#           4096 where the type holds it, as numpy.dot of the same array with itself gives
# Seen      a sum in sequence stops where a one is half the distance of two numbers: bfloat16 sums to 256, its mean is
#           0.0625; float8_e5m2 sums to 8, and float4_e2m1fn, in which 4096 is not held, has the mean 0
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" ml_dtypes==0.7.0 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import ml_dtypes
import numpy as np

n = 4096
same = float(np.ones(n, np.float16).mean()) == 1
for dtype, total, dot in ((ml_dtypes.bfloat16, 256, n), (ml_dtypes.float8_e5m2, 8, n), (ml_dtypes.float4_e2m1fn, 4, 6)):
    ones = np.ones(n, dtype)
    got = [float(v) for v in (ones.sum(), np.cumsum(ones)[-1], ones.mean(), np.dot(ones, ones))]
    print(f"{np.dtype(dtype).name}: sum {got[0]}, last of cumsum {got[1]}, mean {got[2]}, dot {got[3]}")
    mean = 0 if dtype is ml_dtypes.float4_e2m1fn else total / n
    same &= got == [total, total, float(np.float64(mean).astype(dtype)), dot]
print("ml_dtypes 0.7.0: the mean of many ones is not 1" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
