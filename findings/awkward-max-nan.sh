#!/usr/bin/env bash
# Library   awkward 2.14.0, max, min and ptp along an axis, with numpy 2.4.6
# Expected  NaN for a row that holds one, as the same functions give over all of it (axis=None) and NumPy on the same
#           array; ak.nanmax is there for those who want NaN left out
# Seen      along an axis a NaN is passed over, and a row of NaN alone has the maximum -infinity, the minimum infinity
#           and the range -infinity, values that nobody put there
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" awkward==2.14.0 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import awkward as ak
import numpy as np

nan, inf = np.nan, np.inf
rows = np.array([[1.0, nan], [nan, nan], [1.0, 2.0]])
whole = float(ak.max(ak.Array(rows)))
got = {name: getattr(ak, name)(ak.Array(rows), axis=1).tolist() for name in ("max", "min", "ptp", "nanmax")}
print("rows", rows.tolist(), "ak.max of all of them", whole)
for name, values in got.items():
    print(f"ak.{name} of each row", values)
print("numpy.max of each row", np.max(rows, axis=1).tolist())
same = np.isnan(whole) and got == {"max": [1, -inf, 2], "min": [1, inf, 1], "ptp": [0, -inf, 1], "nanmax": [1, None, 2]}
same = same and np.array_equal(np.max(rows, axis=1), [nan, nan, 2], equal_nan=True)
print("awkward 2.14.0 passes over NaN along an axis" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
