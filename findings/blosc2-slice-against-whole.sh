#!/usr/bin/env bash
# Library   blosc2 4.14.1 (compressed arrays with a lazy compute engine), with numpy 2.4.6 and numexpr 2.14.2
# Expected  part of a lazy expression holds the numbers that the whole holds there; a quotient of integers is not
#           truncated (its dtype is float64), `remainder` has the sign of Python's %, as its own documentation says, and
#           `round` takes ties to even, as the array API standard that the functions follow demands
# Seen      e[:] and e.compute() of one expression differ from e[0:n], over all of its n elements: -7 / 2 of integers is
#           -3.0 in the whole and -3.5 in the slice, -7 % 2 of integers and of float64 -1 and 1, round(2.5) 3 and 2. Two
#           engines compute them, and the slice is right each time; `//` agrees
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" blosc2==4.14.1 numpy==2.4.6 numexpr==2.14.2
PYTHONPATH="$work/lib" python3 - <<'PY'
import blosc2
import numpy as np

x, y = np.array([-7, 7, -7, 3]), np.array([2, 2, -2, 5])
half = np.array([0.5, 1.5, 2.5, -2.5])
cases = [("divide, int64", blosc2.divide, np.divide, (x, y)),
         ("remainder, int64", blosc2.remainder, np.remainder, (x, y)),
         ("remainder, float64", blosc2.remainder, np.remainder, (x * 1.0, y * 1.0)),
         ("round, float64", blosc2.round, np.round, (half,)),
         ("floor_divide, int64", blosc2.floor_divide, np.floor_divide, (x, y))]
same = True
for name, function, numpy_function, operands in cases:
    lazy = function(*map(blosc2.asarray, operands))
    whole, computed, part, want = lazy[:], lazy.compute()[:], lazy[0:4], numpy_function(*operands)
    print(f"{name}: whole {whole.tolist()}, slice {part.tolist()}, NumPy {want.tolist()}")
    same &= np.array_equal(whole, computed) and np.allclose(part, want, rtol=1e-15, atol=0)
    same &= np.array_equal(whole, part) == name.startswith("floor_divide")
print("blosc2 4.14.1: the whole and a slice of one expression disagree" if same
      else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
