#!/usr/bin/env bash
# Library   tract 0.23.9, ReduceSum and ReduceMean of int64, with onnx 1.23.2 and numpy 2.4.6
# Expected  sums of int64 in int64, as the operator lists the type; everything below fits
# Seen      each term is cut to its low 32 bits and the sum is one of int32: 2^40 + 3 is 3, 2147483647 + 1 is
#           -2147483648, the sum of 2147483648 alone is negative, and the mean of 2^40 and 3 is 1. ReduceMax and
#           ReduceProd of the same values are right
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

def wrapped(values):
    return (sum(values) + 2 ** 31) % 2 ** 32 - 2 ** 31

same = True
for values in ([2 ** 40, 3], [2 ** 31 - 1, 1], [2 ** 31, 0], [2 ** 32 + 5, 1], [-2 ** 31 - 1, 0], [1000, 2000]):
    got = {op: run("Reduce" + op, values, np.int64).item() for op in ("Sum", "Mean", "Max", "Prod")}
    print(f"{values}: {got}, exact sum {sum(values)}")
    same &= got["Sum"] == wrapped(values) and got["Mean"] == int(wrapped(values) / 2)
    same &= got["Max"] == max(values) and got["Prod"] == values[0] * values[1]
print("tract 0.23.9 sums int64 in 32 bits" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
