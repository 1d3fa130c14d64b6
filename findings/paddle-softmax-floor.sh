#!/usr/bin/env bash
# Library   paddlepaddle 3.3.1 (CPU), softmax and log_softmax of paddle.nn.functional, with numpy 2.4.6
# Expected  log_softmax of (-200, 0) is (-200, 0), as its documented formula gives; what a mask has made -infinity
#           has the weight 0
# Seen      nothing is further below the maximum than 64: log_softmax of (-200, 0) is (-64, 0), in float32 and float64,
#           and softmax of (1000, 0, -infinity) gives the last two 1.6e-28 each
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" paddlepaddle==3.3.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import paddle

paddle.set_device("cpu")
floor = np.exp(-64.0)
same = True
for dtype in ("float32", "float64"):
    logs = paddle.nn.functional.log_softmax(paddle.to_tensor(np.array([-200.0, 0.0], dtype))).numpy()
    near = paddle.nn.functional.log_softmax(paddle.to_tensor(np.array([-60.0, 0.0], dtype))).numpy()
    masked = paddle.nn.functional.softmax(paddle.to_tensor(np.array([1000.0, 0.0, -np.inf], dtype))).numpy()
    print(f"{dtype}: log_softmax of (-200, 0) {logs.tolist()}, of (-60, 0) {near.tolist()}")
    print(f"{dtype}: softmax of (1000, 0, -inf) {masked.tolist()}")
    same &= logs.tolist() == [-64, 0] and near.tolist() == [-60, 0]
    same &= masked[0] == 1 and np.allclose(masked[1:], floor, rtol=1e-6, atol=0)
print("paddlepaddle 3.3.1: softmax ends 64 below the maximum" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
