#!/usr/bin/env bash
# Library   paddlepaddle 3.3.1 (CPU), functions of float32, with numpy 2.4.6
# Expected  what float32 can hold comes within a few ulps, as the same functions do in float64
# Seen      softplus of -20 and log_sigmoid of 20 are 0 (2.06e-9 and -2.06e-9 are right), erfinv of 1e-10 is 0
#           (8.86e-11), and hypot of (3e30, 4e30) is infinity (5e30)
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" paddlepaddle==3.3.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import paddle

paddle.set_device("cpu")
functions = paddle.nn.functional
calls = {
    "softplus of -20": (lambda t: functions.softplus(t([-20.0])), 0.0, np.log1p(np.exp(-20.0))),
    "log_sigmoid of 20": (lambda t: functions.log_sigmoid(t([20.0])), 0.0, -np.log1p(np.exp(-20.0))),
    "erfinv of 1e-10": (lambda t: paddle.erfinv(t([1e-10])), 0.0, 1e-10 * np.sqrt(np.pi) / 2),
    "hypot of 3e30, 4e30": (lambda t: paddle.hypot(t([3e30]), t([4e30])), np.inf, 5e30),
}
same = True
for name, (call, seen, right) in calls.items():
    single, double = (call(lambda v, d=d: paddle.to_tensor(np.array(v, d))).item() for d in ("float32", "float64"))
    print(f"{name}: float32 {single}, float64 {double}, right {right}")
    same &= single == seen and bool(np.isclose(double, right, rtol=1e-6, atol=0))
print("paddlepaddle 3.3.1: tails of float32 are lost" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
