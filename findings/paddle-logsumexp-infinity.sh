#!/usr/bin/env bash
# Library   paddlepaddle 3.3.1 (CPU), paddle.logsumexp and paddle.logcumsumexp, with numpy 2.4.6
# Expected  the logarithm of a sum that is infinite is infinity, that of a sum of zeros -infinity, as scipy.special and
#           numpy.logaddexp.reduce have it
# Seen      logsumexp of (infinity, 1) and of (-infinity, -infinity) is NaN, logcumsumexp of (-infinity, 0) begins with
#           the lowest finite number. Alike in float32 and float64
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" paddlepaddle==3.3.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import paddle

paddle.set_device("cpu")
inf = np.inf
same = True
for dtype in ("float32", "float64"):
    above, below, running = (np.array(v, dtype) for v in ([inf, 1], [-inf, -inf], [-inf, 0]))
    sums = [paddle.logsumexp(paddle.to_tensor(x)).item() for x in (above, below)]
    right = [float(np.logaddexp.reduce(x)) for x in (above, below)]
    scan = paddle.logcumsumexp(paddle.to_tensor(running)).numpy()
    print(f"{dtype}: logsumexp {sums}, by numpy {right}; logcumsumexp of (-inf, 0) {scan.tolist()}")
    same &= bool(np.isnan(sums).all()) and right == [inf, -inf]
    same &= scan.tolist() == [float(np.finfo(dtype).min), 0.0]
print("paddlepaddle 3.3.1: infinities are lost in logarithms of sums" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
