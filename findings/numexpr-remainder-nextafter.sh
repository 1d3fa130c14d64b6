#!/usr/bin/env bash
# Library   numexpr 2.14.2, operator % of floats and nextafter of float32, with numpy 2.4.6
# Expected  a % b is the exact remainder brought to the sign of b, as in Python and NumPy, and less than |b|; nextafter
#           of two float32 is the neighbouring float32
# Seen      % is a - floor(a / b) * b with each step rounded: 1e17 % 3 is 0 (true: 1), 6.0 % 0.1 is 0 (0.0999..., since
#           0.1 is above a tenth), 1e308 % 0.1 is -infinity, -5 % infinity is NaN; fmod of the same package is exact on
#           the same values. nextafter(float32 1, 2) returns float64 and steps by one unit of float64
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" numexpr==2.14.2 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
from fractions import Fraction
import math
import numexpr
import numpy as np

np.seterr(all="ignore")

def evaluate(expression, a, b):
    return numexpr.evaluate(expression, local_dict={"a": np.asarray(a), "b": np.asarray(b)}).item()

def exact(a, b):
    """Python's rule in rational arithmetic, rounded once."""
    return float(Fraction(a) % Fraction(b))

same = True
for a, b, seen in ((1e17, 3.0, 0.0), (6.0, 0.1, 0.0), (1e308, 0.1, -math.inf), (7.5, -2.0, -0.5)):
    got, want, fmod = evaluate("a % b", [a], [b]), exact(a, b), evaluate("fmod(a, b)", [a], [b])
    print(f"{a} % {b}: {got}, exact {want}, NumPy {np.remainder(a, b)}, numexpr's fmod {fmod}")
    same &= got == seen and np.remainder(a, b) == want and fmod == math.fmod(a, b)
against_infinity = evaluate("a % b", [-5.0], [math.inf])
step = numexpr.evaluate("nextafter(a, b)", local_dict={"a": np.float32([1]), "b": np.float32([2])})
numpy_step = np.nextafter(np.float32(1), np.float32(2))
print(f"-5 % inf: {against_infinity}, NumPy {np.remainder(-5.0, math.inf)}; nextafter of float32 1: 1 + {step[0] - 1.0}"
      f" as {step.dtype}, NumPy 1 + {numpy_step - 1} as {numpy_step.dtype}")
same &= math.isnan(against_infinity) and step.dtype == np.float64 and step[0] == 1 + 2.0 ** -52
print("numexpr 2.14.2: % is not exact, nextafter forgets float32" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
