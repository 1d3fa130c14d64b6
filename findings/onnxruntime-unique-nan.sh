#!/usr/bin/env bash
# Library   onnxruntime 1.32.0 (CPU), Unique of floats with NaN, beside onnx 1.23.2 and numpy 2.4.6
# Expected  Unique's inverse indices rebuild the input, X = Y[inverse] (the ONNX operator's definition); numpy and the
#           standard's reference evaluator keep one NaN in Y, after the numbers
# Seen      a NaN that is not the first value has no entry in Y: it is counted as an occurrence of some number, its
#           inverse index points there, and the counts of the numbers are wrong; no error
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

x = np.array([3, np.nan, 1, 2, 1], np.float32)
(values, _, inverse, counts), (right, _, right_inverse, right_counts) = both("Unique", [x], outputs=4, sorted=1)
print("input", x.tolist())
print("onnxruntime values", values.tolist(), "counts", counts.tolist(), "rebuilt", values[inverse].tolist())
print("reference   values", right.tolist(), "counts", right_counts.tolist(), "rebuilt", right[right_inverse].tolist())
same = (values.tolist() == [1, 2, 3] and counts.sum() == 5 and not np.isnan(values[inverse]).any()
        and np.array_equal(right, [1, 2, 3, np.nan], equal_nan=True)
        and np.array_equal(right[right_inverse], x, equal_nan=True))
print("onnxruntime 1.32.0 Unique turns NaN into a number" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
