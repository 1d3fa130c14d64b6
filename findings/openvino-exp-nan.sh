#!/usr/bin/env bash
# Library   OpenVINO 2026.4.1, its CPU device with float32 inference precision, beside onnxruntime 1.32.0
# Expected  exp of NaN is NaN, and exp of 88.7 is 3.33e38, below the largest float32; SoftPlus, ln(1 + e^x), is positive
#           and 2.06e-9 at -20; Erf is odd and near 2x / sqrt(pi) at small x
# Seen      exp(NaN) is +infinity, so a NaN that went in before an exp comes out as a number; exp(88.7) is +infinity;
#           SoftPlus(-20) is -1.9e-6; Erf(1e-8) is 0. Tanh, Sigmoid and Log keep a NaN; onnxruntime is right in all
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" \
    openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 ml_dtypes==0.6.0
PYTHONPATH="$work/lib" python3 - <<'PY'
import math
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper

core = openvino.Core()

def both(op, values):
    """The results of one ONNX node by OpenVINO and by ONNX Runtime, both on the CPU."""
    x = np.array(values, np.float32)
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, x.shape) for n in "xy"]
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"])], "one", info[:1], info[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    vino = core.compile_model(core.read_model(model), "CPU", settings)([x])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return list(vino.values())[0].tolist(), session.run(None, {"x": x})[0].tolist()

same = True
cases = [("Exp", [math.nan, 88.7, 1.0]), ("Softplus", [-20.0, 20.0]), ("Erf", [1e-8, 0.5]),
         ("Tanh", [math.nan]), ("Sigmoid", [math.nan]), ("Log", [math.nan])]
for op, values in cases:
    got, other = both(op, values)
    print(f"{op} of {values}: OpenVINO {got}, onnxruntime {other}")
    if op == "Exp":
        same &= got[0] == math.inf and got[1] == math.inf and abs(got[2] - math.e) < 1e-6
        same &= math.isnan(other[0]) and 3.3e38 < other[1] < 3.35e38
    elif op == "Softplus":
        same &= got[0] < -1e-6 and 2e-9 < other[0] < 2.2e-9
    elif op == "Erf":
        same &= got[0] == 0 and abs(got[1] - math.erf(0.5)) < 1e-6 and 1.1e-8 < other[0] < 1.2e-8
    else:
        same &= math.isnan(got[0]) and math.isnan(other[0])
print("OpenVINO 2026.4.1: exp of NaN is infinity" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
