#!/usr/bin/env bash
# Library   MNN 3.6.1 on an x86-64 CPU, functions of MNN.numpy on float32, with numpy 2.4.6
# Expected  what the names say and NumPy computes: trunc drops the fraction, NaN gives NaN, exp is finite up to 88.72,
#           log1p keeps the digits of small numbers, which is what it is for
# Seen      trunc(88.7) is 89 and rint(2.5) is 3; abs and sign of NaN are 0, tanh of NaN is 1, exp of NaN is 1.6e-38;
#           exp stops at 6.08e37 (true at 88.7: 3.33e38), infinity included; log1p(1e-5) is wrong in the fourth digit,
#           cbrt(-8) is NaN, sinc(0) is NaN
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" MNN==3.6.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import warnings
import MNN.numpy as mp
import numpy as np

warnings.simplefilter("ignore")
nan, inf = float("nan"), float("inf")

def f32(name, *values):
    got = np.asarray(getattr(mp, name)(mp.array(list(values), dtype=mp.float32)).read()).ravel()
    print(f"{name} of {values}: MNN {got.tolist()}, NumPy {getattr(np, name)(np.array(values, np.float32)).tolist()}")
    return got.tolist()

same = f32("trunc", 88.7, 1.5, -0.7) == [89, 2, -1] and f32("rint", 0.5, 2.5, 3.5) == [1, 3, 4]
same &= f32("abs", nan, -2) == [0, 2] and f32("sign", nan, -2) == [0, -1] and f32("tanh", nan, 0)[0] == 1
exp = f32("exp", nan, 88.7, inf, 0)
same &= 0 < exp[0] < 1e-37 and 6e37 < exp[1] < 6.2e37 and 6e37 < exp[2] < 6.2e37 and abs(exp[3] - 1) < 1e-6
same &= 1e-4 < f32("log1p", 1e-5)[0] / 1e-5 - 1 < 1e-2
same &= bool(np.isnan(f32("cbrt", -8, 8)[0])) and bool(np.isnan(f32("sinc", 0, 1)[0]))
print("MNN 3.6.1: these functions are others" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
