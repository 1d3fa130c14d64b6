#!/usr/bin/env bash
# Library   Bottleneck 1.6.0, move_sum, move_mean and move_var, with numpy 2.4.6
# Expected  the values of the package's own slow versions, which look at each window by itself
# Seen      a value that has left the window stays in the running sum: after one infinity all later windows are NaN,
#           after 1e16 windows of ones add up to 0, and after 1e10 the variance of (1, 2) is 0. xarray and pandas use
#           the package where it is installed
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" Bottleneck==1.6.0 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import warnings
import bottleneck
import numpy as np

warnings.simplefilter("ignore")
nan, inf = np.nan, np.inf
cases = [("move_sum", [1e16, 1, 1, 1], [0, 0], [2, 2]), ("move_sum", [inf, 1, 2, 3], [nan, nan], [3, 5]),
         ("move_mean", [inf, 1, 2, 3], [nan, nan], [1.5, 2.5]), ("move_var", [1e10, 1, 2, 3], [0, 0], [0.25, 0.25]),
         ("move_var", [inf, 1, 2, 3], [nan, nan], [0.25, 0.25]), ("move_sum", [5, 1, 2, 3], [3, 5], [3, 5])]
same = True
for name, values, seen, right in cases:
    x = np.array(values, float)
    fast, slow = (getattr(f, name)(x, window=2)[2:].tolist() for f in (bottleneck, bottleneck.slow))
    print(f"{name} of {values}, the last two windows of 2: {fast}, slowly {slow}")
    same &= np.array_equal(fast, seen, equal_nan=True) and slow == right
print("Bottleneck 1.6.0 remembers what has left the window" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
