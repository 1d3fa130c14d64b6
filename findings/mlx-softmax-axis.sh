#!/usr/bin/env bash
# Library   mlx 0.32.4 (CPU), mx.softmax of integers and of half floats along different axes, with numpy 2.4.6
# Expected  softmax along axis 0 of x is softmax along axis 1 of its transpose, and adds up to 1 there
# Seen      of int32 [[1, 2, 3], [3, 2, 1]] it is float32 and right along the last axis, and int32 and 0 everywhere
#           along the other. Of 4096 equal float16 it adds up to 2 along the last axis, of 1024 bfloat16 to 4, since the
#           exponentials are summed in the half type (`precise=True` does not), and to 1 along any other axis
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" 'mlx[cpu]==0.32.4' numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)

def both(x, **how):
    """Softmax along the last axis, and along axis 0 of the transpose, turned back."""
    return mx.softmax(x, axis=1, **how), mx.softmax(x.T, axis=0, **how).T

def total(x):
    return float(np.array(x.astype(mx.float32)).astype(np.float64).sum())

last, first = both(mx.array([[1, 2, 3], [3, 2, 1]]))
print("int32: last axis", last, "\n other axis", first)
same = last.dtype == mx.float32 and abs(total(last) - 2) < 1e-6
same &= first.dtype == mx.int32 and not np.array(first).any()
for dtype, length, seen in ((mx.float16, 4096, 2), (mx.bfloat16, 1024, 4), (mx.float32, 4096, 1)):
    x = mx.zeros((1, length), dtype)
    last, first = map(total, both(x))
    precise = total(both(x, precise=True)[0])
    print(f"{length} equal {dtype}: sum {last} along the last axis, {first} along the other, {precise} if precise")
    same &= abs(last - seen) < 0.01 and abs(first - 1) < 0.01 and abs(precise - 1) < 0.01
print("mlx 0.32.4: softmax depends on which axis it runs along" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
