#!/usr/bin/env bash
# Library   mlx 0.32.4 (CPU), mx.cummax and mx.cummin of float16 and bfloat16, with numpy 2.4.6
# Expected  from the first NaN on a running maximum is NaN, as in NumPy and as the same functions do in float32
# Seen      in float16 and bfloat16 it is 0 from the first NaN on: cummax of (-1, NaN, -2, -3) is (-1, 0, 0, 0), a
#           number that is nowhere in the input and above all of it; cummin of (1, NaN, 2, 3) is (1, 0, 0, 0). max and
#           min of the same arrays are NaN
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" 'mlx[cpu]==0.32.4' numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
nan = float("nan")

def run(function, values, dtype):
    return np.array(function(mx.array(values, dtype)).astype(mx.float32))

same = True
for name, sign, total in (("cummax", -1, mx.max), ("cummin", 1, mx.min)):
    values = [sign * 1.0, nan, sign * 2.0, sign * 3.0]
    for dtype in (mx.float32, mx.float16, mx.bfloat16):
        got, reduced = run(getattr(mx, name), values, dtype), run(total, values, dtype)
        print(f"{name} of {values} in {dtype}: {got.tolist()}, the reduction {reduced.item()}")
        rest = nan if dtype == mx.float32 else 0.0
        same &= np.array_equal(got, [sign * 1.0, rest, rest, rest], equal_nan=True) and np.isnan(reduced)
print("mlx 0.32.4: running maxima of halves turn NaN into 0" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
