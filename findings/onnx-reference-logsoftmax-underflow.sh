#!/usr/bin/env bash
# Library   onnx 1.23.2, its reference evaluator, LogSoftmax and ReduceLogSumExp, with numpy 2.4.6
# Expected  LogSoftmax of (0, -200) is (0, -200) in float32, as onnxruntime 1.32.0 and scipy's log_softmax have it:
#           the logarithm is there to keep what the softmax underflows; the log-sum-exp of -infinity alone is
#           -infinity
# Seen      LogSoftmax is the logarithm of the finished softmax: -200 becomes -infinity, -100 loses digits (2^-149
#           steps), and ReduceLogSumExp of (-infinity, -infinity) is NaN. As a reference it fails implementations that
#           are right
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

import warnings

warnings.simplefilter("ignore")
x = np.array([0, -100, -200], np.float32)
(runtime,), (reference,) = both("LogSoftmax", [x], axis=0)
print("LogSoftmax", x.tolist(), "reference", reference.tolist(), "onnxruntime", runtime.tolist())
low = np.array([-np.inf, -np.inf], np.float32)
(sum_runtime,), (sum_reference,) = both("ReduceLogSumExp", [low], keepdims=0)
print("ReduceLogSumExp", low.tolist(), "reference", float(sum_reference), "onnxruntime", float(sum_runtime))
same = (runtime.tolist() == [0, -100, -200] and reference[2] == -np.inf and 1e-3 < abs(reference[1] + 100) < 1
        and np.isnan(sum_reference) and sum_runtime == -np.inf)
print("the ONNX reference of 1.23.2 underflows in LogSoftmax" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
