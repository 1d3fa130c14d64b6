#!/usr/bin/env bash
# Library   tract 0.23.9 on a CPU with FMA, Sigmoid, Tanh, Softplus and ReduceLogSumExp of float32, with onnx 1.23.2 and
#           numpy 2.4.6
# Expected  NaN for NaN, 1 for tanh(infinity), log(1 + e^x) near x for large x, a log-sum-exp that does not overflow
# Seen      Sigmoid and Tanh lose NaN: 4.8e-7 and -0.9999993 come out; these are also the ends, Sigmoid(-100) is 4.8e-7
#           (true: 4e-44) and Tanh(infinity) 0.9999993. Softplus(100) is infinity, Softplus(-20) 0 (true: 2.06e-9),
#           ReduceLogSumExp of (1000, 1000) infinity and of (-200, -200) -infinity: the formulas are used as they stand
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

nan, inf = float("nan"), float("inf")

def f32(op, *values):
    got = run(op, values, np.float32).ravel().tolist()
    print(op, values, got)
    return got

sigmoid, tanh = f32("Sigmoid", nan, -100, -20, 0), f32("Tanh", nan, inf, 100, 0)
softplus = f32("Softplus", -20, 0, 20, 100)
sums = [f32("ReduceLogSumExp", v, v)[0] for v in (1000, -200, 1)]
same = 0 < sigmoid[0] < 1e-6 and 1e-8 < sigmoid[1] == sigmoid[2] < 1e-6 and abs(sigmoid[3] - 0.5) < 1e-6
same &= abs(tanh[0]) < 1 and 0.99999 < tanh[1] == tanh[2] < 1 and abs(tanh[3]) < 1e-6
same &= softplus[0] == 0 and abs(softplus[1] - 0.693147) < 1e-5 and softplus[2] == 20 and softplus[3] == inf
same &= sums[:2] == [inf, -inf] and abs(sums[2] - 1.693147) < 1e-5
print("tract 0.23.9 loses NaN and the ends of these functions" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
