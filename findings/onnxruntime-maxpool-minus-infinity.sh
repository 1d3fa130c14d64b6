#!/usr/bin/env bash
# Library   onnxruntime 1.32.0 (CPU), MaxPool of float32 and float64, beside onnx 1.23.2
# Expected  the largest value of a window is one of its values: of a window that holds only -infinity it is -infinity,
#           as the standard's reference evaluator has it, and as ReduceMax of the same library gives over the same
#           numbers
# Seen      in float32 the lowest finite number, -3.4e38, which is not in the input: masked scores become finite
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" \
    onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 ml_dtypes==0.6.0
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import onnxruntime
from onnx import ValueInfoProto, helper
from onnx.reference import ReferenceEvaluator

def both(op, inputs, outputs=1, **attributes):
    """The outputs of one node by ONNX Runtime on the CPU, and by the reference evaluator of the standard."""
    names = [f"i{k}" for k in range(len(inputs))]
    infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for n, x in zip(names, inputs)]
    results = [f"o{k}" for k in range(outputs)]
    node = helper.make_node(op, names, results, **attributes)
    graph = helper.make_graph([node], "one", infos, [ValueInfoProto(name=n) for n in results])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    feed = dict(zip(names, inputs))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feed), ReferenceEvaluator(model).run(None, feed)

same = True
for dtype in (np.float32, np.float64):
    x = np.array([-np.inf, -np.inf, -np.inf, 5], dtype).reshape(1, 1, 4)
    pooled, reference = both("MaxPool", [x], kernel_shape=[2])
    reduced, _ = both("ReduceMax", [x[0, 0, :2]], keepdims=0)
    print(np.dtype(dtype), "MaxPool", pooled[0].ravel().tolist(), "reference", reference[0].ravel().tolist(),
          "ReduceMax of the first window", float(reduced[0]))
    lowest = np.finfo(dtype).min if dtype == np.float32 else -np.inf
    same &= pooled[0].ravel().tolist() == [lowest, lowest, 5]
    same &= reference[0].ravel().tolist() == [-np.inf, -np.inf, 5] and bool(reduced[0] == -np.inf)
print("onnxruntime 1.32.0 MaxPool of float32 never returns -infinity" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
