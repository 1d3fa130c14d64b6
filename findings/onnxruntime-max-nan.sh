#!/usr/bin/env bash
# Library   onnxruntime 1.32.0 (CPU), ReduceMax and ScatterElements with reduction "max", beside onnx 1.23.2
# Expected  a NaN among the numbers gives NaN, as the Max operator of the same library, the standard's reference
#           evaluator (ReduceMax) and numpy have it; a library that ignores NaN would give the largest number
# Seen      neither. In rows of three a NaN in front gives NaN and a NaN elsewhere is ignored; in rows of eight, one
#           of them NaN and one +infinity, some results are a smaller number of the row, finite (5 of 56 rows where
#           this was seen). ScatterElements of 10, NaN, 5 at one place that held 2 leaves 5, less than 10
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

import itertools

nan, inf = np.nan, np.inf
short = {row: float(both("ReduceMax", [np.array(row, np.float32)], keepdims=0)[0][0])
         for row in itertools.permutations([3.0, nan, 1.0])}
print("ReduceMax of three:", short)
lost = []
for at, top in itertools.permutations(range(8), 2):
    row = np.array([3, 1, 4, 1, 5, 2, 6, 0], np.float32)
    row[at], row[top] = nan, inf
    (got,), (want,) = both("ReduceMax", [row], keepdims=0)
    if not np.isnan(got) and got != inf:
        lost.append((row.tolist(), float(got), float(want)))
print(f"ReduceMax of eight: {len(lost)} of 56 rows give neither NaN nor infinity;",
      "row, onnxruntime, reference:", *lost[:1])
pair, _ = both("Max", [np.array([3, nan], np.float32), np.array([nan, 3], np.float32)])
print("Max of (3, NaN) and (NaN, 3):", pair[0].tolist())
scatter, _ = both("ScatterElements", [np.array([1, 2, 3], np.float32), np.array([1, 1, 1]),
                                      np.array([10, nan, 5], np.float32)], axis=0, reduction="max")
print("ScatterElements of 10, NaN, 5 onto 2:", scatter[0].tolist())
same = (len({str(v) for v in short.values()}) == 2 and lost and all(np.isnan(w) for _, _, w in lost)
        and np.isnan(pair[0]).all() and scatter[0].tolist() == [1, 5, 3])
print("onnxruntime 1.32.0 loses numbers beside a NaN in max" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
