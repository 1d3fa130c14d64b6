#!/usr/bin/env bash
# Library   numpy-groupies 0.16.0 with numba 0.68.1, aggregate of small integers and var, with numpy 2.4.6
# Expected  nansum of integers, which hold no NaN, is sum; the variance is the same by each of its engines
# Seen      sum of 1000 int8 of 100 is 100000, nansum -96: it wraps in int8. The engine that aggregate takes where numba
#           is installed gives the variance 0 for 1e8 + (1, 2, 3), the engine in NumPy 2/3
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" \
    numpy-groupies==0.16.0 numba==0.68.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import numpy_groupies

engines = {"aggregate": numpy_groupies.aggregate, "aggregate_np": numpy_groupies.aggregate_np}
small, near = np.full(1000, 100, np.int8), np.array([1e8 + 1, 1e8 + 2, 1e8 + 3])
sums = {n: [int(f(np.zeros(1000, int), small, func=w)[0]) for w in ("sum", "nansum")] for n, f in engines.items()}
variances = {n: float(f(np.zeros(3, int), near, func="var")[0]) for n, f in engines.items()}
print("sum and nansum of 1000 int8 of 100:", sums)
print("variance of", near.tolist(), ":", variances, "numpy", float(near.var()))
same = all(v == [100000, -96] for v in sums.values()) and variances["aggregate"] == 0
same = same and abs(variances["aggregate_np"] - 2 / 3) < 1e-9
print("numpy-groupies 0.16.0 is of two minds" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
