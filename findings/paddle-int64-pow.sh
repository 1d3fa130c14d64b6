#!/usr/bin/env bash
# Library   paddlepaddle 3.3.1 (CPU), paddle.pow of int64, with numpy 2.4.6
# Expected  3 ** 39 is 4052555153018976267, which int64 holds, whether the exponent is a number or a tensor
# Seen      with a tensor as exponent the power goes through double precision and is 11 less
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" paddlepaddle==3.3.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import paddle

paddle.set_device("cpu")
base = paddle.to_tensor(np.array([3], "int64"))
by_number = paddle.pow(base, 39).item()
by_tensor = paddle.pow(base, paddle.to_tensor(np.array([39], "int64"))).item()
right = 3**39
print(f"3 ** 39: {right}; by a number {by_number}, by a tensor {by_tensor}, double precision has {int(3.0**39)}")
same = by_number == right and by_tensor == int(3.0**39) == right - 11
print("paddlepaddle 3.3.1: powers of int64 go through double precision" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
