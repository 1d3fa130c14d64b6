#!/usr/bin/env bash
# Library   onnxruntime 1.32.0 (CPU), ReduceProd, ReduceL1, ReduceSumSquare and Pow of int64, beside onnx 1.23.2
# Expected  exact integers: every result below fits int64, the operators list int64, and the standard's reference
#           evaluator is exact; so are ReduceMax and CumSum of the same library
# Seen      low bits are lost above 2^53, as if the value had gone through float64: 9007199254740993 (2^53 + 1) times
#           1 gives ...992, 3^39 and (2^31 + 1)^2 are off, the L1 norm of (2^53 + 1, -1) is 2 short
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

odd = 2 ** 53 + 1
cases = [("ReduceProd", [np.array([odd, 1])], {"keepdims": 0}, odd),
         ("ReduceL1", [np.array([odd, -1])], {"keepdims": 0}, odd + 1),
         ("ReduceSumSquare", [np.array([2 ** 31 + 1])], {"keepdims": 0}, (2 ** 31 + 1) ** 2),
         ("Pow", [np.array([3]), np.array([39])], {}, 3 ** 39)]
exact = [("ReduceMax", [np.array([odd, 1])], {"keepdims": 0}, odd),
         ("CumSum", [np.array([odd]), np.array(0)], {}, odd)]
same = True
for op, inputs, attributes, want in cases + exact:
    got, reference = (int(r[0].reshape(-1)[0]) for r in both(op, inputs, **attributes))
    print(f"{op}: exact {want}, reference {reference}, onnxruntime {got} (off by {got - want})")
    same &= reference == want and (got == want) == (op in ("ReduceMax", "CumSum"))
print("onnxruntime 1.32.0 loses low bits of int64" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
