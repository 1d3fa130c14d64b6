#!/usr/bin/env bash
# Library   numkong 7.8.6, the successor of simsimd, min, max, argmin and minmax, with numpy 2.4.6
# Expected  the least of infinities is infinity and the first of them its place; None, as the text of min says, if all
#           are NaN
# Seen      float64: 1.797e308, the largest finite number, which is not among the values; float32: None, and None for
#           the place. -infinity and max likewise
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" numkong==7.8.6 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numkong
import numpy as np

largest = float(np.finfo(np.float64).max)
same = True
for count in (1, 8, 100):
    for dtype, least, most, place in (("float64", largest, -largest, 0), ("float32", None, None, None)):
        up, down = np.full(count, np.inf, dtype), np.full(count, -np.inf, dtype)
        got = numkong.min(up), numkong.max(down), numkong.argmin(up)
        print(f"{count} of {dtype}: min of inf {got[0]}, max of -inf {got[1]}, argmin of inf {got[2]}")
        same &= got == (least, most, place)
        up[count // 2] = 3
        same &= numkong.min(up) == 3 and numkong.argmin(up) == count // 2
print("numkong 7.8.6 does not know infinity as a value" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
