#!/usr/bin/env bash
# Library   tract 0.23.9, Celu and Selu of float32, with onnx 1.23.2 and numpy 2.4.6
# Expected  Celu(x) = max(0, x) + min(0, alpha (exp(x / alpha) - 1)), and the default factors of Selu, which are given
#           with 21 digits, rounded to float32
# Seen      the factor before the exponential is missing: Celu ends at -1 whatever alpha is, so alpha = 2 gives half of
#           the right values below 0 and alpha = 0.5 twice; alpha = 1, the default, is right, and so is Elu with any
#           alpha. The default factors of Selu are cut to five digits: Selu(1) is 1.0507 and not 1.050701, 10 units in
#           the last place
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" tract==0.23.9 onnx==1.23.2 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - "$work/one.onnx" <<'PY'
import pathlib
import sys
import numpy as np
import tract
from onnx import helper

def model(op, x, **attributes):
    """A model of one node, as bytes."""
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"], **attributes)], "one",
                              [helper.make_tensor_value_info("x", kind, x.shape)],
                              [helper.make_tensor_value_info("y", kind, None)])
    opset = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()

def run(op, values, dtype, **attributes):
    x = np.array(values, dtype)
    pathlib.Path(sys.argv[1]).write_bytes(model(op, x, **attributes))
    runnable = tract.onnx().load(sys.argv[1]).into_model().into_runnable()
    return runnable.run([tract.Tensor.from_numpy(x)])[0].to_numpy()

x = np.array([-3, -1, -0.25, 2], np.float32)
wide = x.astype(np.float64)
same = True
for alpha in (0.5, 1.0, 2.0, 4.0):
    celu, elu = run("Celu", x, np.float32, alpha=alpha), run("Elu", x, np.float32, alpha=alpha)
    true = np.where(wide < 0, alpha * np.expm1(wide / alpha), wide)
    print(f"alpha {alpha}: Celu {celu.tolist()}, true {true.tolist()}")
    same &= np.allclose(celu, np.where(wide < 0, true / alpha, true), rtol=1e-5)
    same &= np.allclose(elu, np.where(wide < 0, alpha * np.expm1(wide), wide), rtol=1e-5)
one = run("Selu", [1], np.float32).item()
print("Selu(1):", one, "true 1.05070102214813232421875")
same &= one == np.float32(1.0507)
print("tract 0.23.9: Celu forgets a factor" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
