#!/usr/bin/env bash
# Library   numexpr 2.14.2, its complex128 functions, with numpy 2.4.6 and mpmath 1.4.1
# Expected  arcsinh, arcsin, arctanh, abs and division of complex numbers whose results fit in float64 come near the
#           mathematical value, as NumPy's do to the last digits
# Seen      the school formulas are used as they stand: arcsinh(-1e8) and arcsin(1e9j) are infinite (true: -19.1 and
#           21.4i), arcsinh(-1e5) has 7 right digits, arctanh(1e-17) is 0, |3e200+4e200i| is infinite, |3e-200+4e-200i|
#           is 0, and (1+i)1e200 divided by itself is NaN
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" numexpr==2.14.2 numpy==2.4.6 mpmath==1.4.1
PYTHONPATH="$work/lib" python3 - <<'PY'
import mpmath
import numexpr
import numpy as np

mpmath.mp.dps = 50
np.seterr(all="ignore")

def error(value, true):
    """Relative distance from the true value; infinite for what is not finite."""
    if not np.isfinite(value):
        return float("inf")
    return float(abs(mpmath.mpc(complex(value)) - true) / abs(true))

big = complex(1e200, 1e200)
cases = [("arcsinh(z)", np.arcsinh, mpmath.asinh, -1e8 + 0j, True),
         ("arcsinh(z)", np.arcsinh, mpmath.asinh, -1e5 + 0j, True),
         ("arcsinh(z)", np.arcsinh, mpmath.asinh, 1e8 + 0j, False), ("arcsin(z)", np.arcsin, mpmath.asin, 1e9j, True),
         ("arctanh(z)", np.arctanh, mpmath.atanh, 1e-17 + 0j, True), ("abs(z)", np.abs, abs, 3e200 + 4e200j, True),
         ("abs(z)", np.abs, abs, 3e-200 + 4e-200j, True), ("z / z", lambda z: z / z, lambda z: z / z, big, True)]
same = True
for expression, numpy_function, exact, at, is_wrong in cases:
    z = np.array([at])
    got = numexpr.evaluate(expression, local_dict={"z": z})[0]
    true = exact(mpmath.mpc(at))
    wrong, numpy_wrong = error(got, true), error(numpy_function(z)[0], true)
    print(f"{expression} at {at}: {got}, true {mpmath.nstr(true, 12)}; error {wrong:.1e}, NumPy's {numpy_wrong:.1e}")
    same &= numpy_wrong < 1e-14 and (wrong > 1e-8) == is_wrong
print("numexpr 2.14.2: complex functions lose all digits" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
