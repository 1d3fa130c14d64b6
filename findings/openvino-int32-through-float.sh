#!/usr/bin/env bash
# Library   OpenVINO 2026.4.1, its CPU device with float32 inference precision, with numpy 2.4.6
# Expected  Equal, Less, Mod, FloorMod, Divide and Floor of int32 are exact: the operations list integer types, and
#           every result below fits int32
# Seen      they go through float32: 16777217 equals 16777216 and is not greater, 2147483647 Mod 10 is 0 (true: 7),
#           1073741825 FloorMod 3 is 0 (true: 2), 16777217 divided by 1 is 16777216 and 2147483647 by 1 is -2147483648,
#           Floor of 16777217 is 16777216; Add, Multiply, Maximum and the bitwise operations are exact
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" openvino==2026.4.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import openvino
from openvino import opset15 as ops

core = openvino.Core()

def run(op, *operands):
    """One node on the CPU; its operands are parameters of the model, so nothing is folded beforehand."""
    arrays = [np.array([v], np.int32) for v in operands]
    parameters = [ops.parameter([1], np.int32) for _ in arrays]
    model = openvino.Model([op(*parameters)], parameters)
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(model, "CPU", settings)
    return list(compiled(arrays).values())[0].item()

big, last = 2 ** 24 + 1, 2 ** 31 - 1
wrong = [("Equal", ops.equal, (big, big - 1), False, True), ("Less", ops.less, (big - 1, big), True, False),
         ("Mod", ops.mod, (last, 10), 7, 0), ("FloorMod", ops.floor_mod, (2 ** 30 + 1, 3), 2, 0),
         ("Divide", ops.divide, (big, 1), big, big - 1), ("Divide", ops.divide, (last, 1), last, -2 ** 31),
         ("Floor", ops.floor, (big,), big, big - 1)]
right = [("Add", ops.add, (big, big - 1), 2 * big - 1), ("Multiply", ops.multiply, (big, 3), 3 * big),
         ("Maximum", ops.maximum, (big, big - 1), big), ("BitwiseXor", ops.bitwise_xor, (big, 3), big ^ 3)]
same = True
for name, op, operands, exact, seen in wrong + [r + r[-1:] for r in right]:
    got = run(op, *operands)
    print(f"{name} of int32 {operands}: {got}, exact {exact}")
    same &= got == seen
print("OpenVINO 2026.4.1 takes int32 through float32" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
