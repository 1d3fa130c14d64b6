#!/usr/bin/env bash
# Library   awkward 2.14.0, softmax and linear_fit, with numpy 2.4.6
# Expected  the softmax of two equal numbers is 1/2 and 1/2, of whatever size; the line through (x, x - 1e8) for x
#           around 1e8 has the slope 1, which NumPy's polyfit finds
# Seen      softmax takes the exponentials as they stand: NaN from 710 on, and 0 / 0 below -746. linear_fit subtracts
#           products of sums that agree in every digit: the slope of three points on a line is infinite
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" awkward==2.14.0 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import warnings
import awkward as ak
import numpy as np

warnings.simplefilter("ignore")
same = True
for value, wrong in ((700, False), (1000, True), (-1000, True)):
    got = ak.softmax(ak.Array([[float(value)] * 2]), axis=1).tolist()[0]
    print(f"softmax of ({value}, {value}): {got}, true [0.5, 0.5]")
    same &= all(np.isnan(got)) if wrong else got == [0.5, 0.5]
y = np.array([1.0, 2.0, 3.0])
for middle, wrong in ((0.0, False), (1e8, True)):
    slope = float(ak.linear_fit(ak.Array([y + middle]), ak.Array([y]), axis=1).slope[0])
    print(f"slope of y = x - {middle:g} at three x around it: {slope}, numpy {np.polyfit(y + middle, y, 1)[0]:.9f}")
    same &= not np.isfinite(slope) if wrong else abs(slope - 1) < 1e-12
same = bool(same) and abs(np.polyfit(y + 1e8, y, 1)[0] - 1) < 1e-6
print("awkward 2.14.0: no digit of these is right" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
