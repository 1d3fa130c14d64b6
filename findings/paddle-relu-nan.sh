#!/usr/bin/env bash
# Library   paddlepaddle 3.3.1 (CPU), relu, heaviside and argmax, with numpy 2.4.6
# Expected  NaN stays NaN, as in paddle.maximum, relu6 and leaky_relu and in numpy.heaviside; argmax points to the NaN
#           that max returns, as numpy.argmax does
# Seen      relu of NaN and heaviside of NaN are 0, argmax of (1, NaN, 3) is 2 while max of it is NaN
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" paddlepaddle==3.3.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import paddle

paddle.set_device("cpu")
nan = np.nan
same = True
for dtype in ("float32", "float64"):
    x = paddle.to_tensor(np.array([1, nan, 3], dtype))
    relu = paddle.nn.functional.relu(x).numpy()
    kin = [f(x).numpy()[1] for f in (paddle.nn.functional.relu6, paddle.nn.functional.leaky_relu)]
    step = paddle.heaviside(x, paddle.ones_like(x)).numpy()
    where, most = paddle.argmax(x).item(), paddle.max(x).item()
    print(f"{dtype}: relu {relu.tolist()}, relu6 and leaky_relu of NaN {kin}, heaviside {step.tolist()}, "
          f"argmax {where}, max {most}")
    same &= relu.tolist() == [1, 0, 3] and bool(np.isnan(kin).all()) and step.tolist() == [1, 0, 1]
    same &= where == 2 and bool(np.isnan(most)) and int(np.argmax(x.numpy())) == 1
print("paddlepaddle 3.3.1: relu and heaviside make 0 of NaN" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
