#!/usr/bin/env bash
# Library   numba 0.68.1, np.median, np.mean and np.std compiled by njit, with numpy 2.4.6
# Expected  NumPy's values: NaN for a median beside a NaN, 2^62 for the median of two of them, 1 for the mean of ones
# Seen      the median of (NaN, 1, 2) is 2 and of (1, NaN, 2) NaN: it depends on the place of the NaN. The median of
#           two 2^62 is -2^62, their sum wraps. The mean of 2^25 float32 ones is 0.5 and their deviation too: the sum
#           is one float32 that stops growing at 2^24, where NumPy adds in pairs
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" numba==0.68.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numba
import numpy as np

median, mean, deviation = (numba.njit(f) for f in (lambda a: np.median(a), lambda a: np.mean(a), lambda a: np.std(a)))
nan = np.nan
same = True
cases = (([nan, 1.0, 2.0], 2.0), ([1.0, 2.0, nan], 2.0), ([1.0, nan, 2.0], nan), ([2**62, 2**62], -(2.0**62)))
for values, seen in cases:
    x = np.array(values)
    got = float(median(x))
    print(f"median of {values}: numba {got}, numpy {float(np.median(x))}")
    same &= np.array_equal(got, seen, equal_nan=True)
ones = np.ones(2**25, np.float32)
print(f"mean and deviation of 2^25 float32 ones: numba {mean(ones)} and {deviation(ones)}, numpy {ones.mean()}", end="")
print(f" and {ones.std()}")
same = bool(same) and mean(ones) == 0.5 and deviation(ones) == 0.5 and ones.mean() == 1 and ones.std() == 0
print("numba 0.68.1 has other medians and means than NumPy" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
