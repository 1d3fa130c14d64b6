#!/usr/bin/env bash
# Library   onnx 1.23.2, its reference evaluator, QuantizeLinear of an infinite value, with numpy 2.4.6
# Expected  y = saturate(round(x / scale) + zero point), so +infinity gives the largest code, as 1e9 does in the same
#           call and as onnxruntime 1.32.0 has it
# Seen      +infinity gives the LEAST code: 0 of uint8 and uint16, -128 of int8; -infinity and 1e9 saturate as they
#           should
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
same = True
x = np.array([1e9, np.inf, -1e9, -np.inf], np.float32)
for zero in (np.uint8(128), np.int8(0), np.uint16(7)):
    limits = np.iinfo(zero.dtype)
    runtime, reference = both("QuantizeLinear", [x, np.array(1, np.float32), np.array(zero)])
    print(zero.dtype, "of", x.tolist(), "reference", reference[0].tolist(), "onnxruntime", runtime[0].tolist())
    same &= runtime[0].tolist() == [limits.max, limits.max, limits.min, limits.min]
    same &= reference[0].tolist() == [limits.max, limits.min, limits.min, limits.min]
verdict = "the ONNX reference of 1.23.2 quantizes +infinity to the least code"
print(verdict if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
