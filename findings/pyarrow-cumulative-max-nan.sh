#!/usr/bin/env bash
# Library   pyarrow 26.0.1, cumulative_max and cumulative_min of floats with NaN
# Expected  the last element of a cumulative maximum is the maximum: min, max and min_max of NaN alone give NaN
# Seen      the cumulative maximum of (NaN, 2) begins with -infinity and the cumulative minimum of NaN alone is
#           infinity, values that are not there: the neutral element that NaN was compared with
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" pyarrow==26.0.1
PYTHONPATH="$work/lib" python3 - <<'PY'
import math
import pyarrow
import pyarrow.compute as pc

nan, inf = math.nan, math.inf
same = True
for values, most, least in (([nan, 2.0], [-inf, 2.0], [inf, 2.0]), ([nan, nan], [-inf, -inf], [inf, inf]),
                            ([1.0, nan, 3.0], [1.0, 1.0, 3.0], [1.0, 1.0, 1.0])):
    x = pyarrow.array(values)
    got = pc.cumulative_max(x).to_pylist(), pc.cumulative_min(x).to_pylist()
    print(f"{values}: cumulative_max {got[0]}, cumulative_min {got[1]}, max {pc.max(x).as_py()}")
    same = same and got == (most, least)
alone = pyarrow.array([nan, nan])
same = same and math.isnan(pc.max(alone).as_py()) and math.isnan(pc.min(alone).as_py())
print("pyarrow 26.0.1 puts infinities for NaN" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
