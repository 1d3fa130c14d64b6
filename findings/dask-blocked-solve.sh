#!/usr/bin/env bash
# Library   dask 2026.8.0, dask.array.linalg.solve, with numpy 2.4.6 and scipy 1.17.1
# Expected  the solution of a well conditioned system, however its matrix is cut into chunks
# Seen      rows are exchanged inside the diagonal block alone: with a small block in the corner of a matrix of
#           condition 5, half of the solution is 0 (true: 1 and 2), and a permutation matrix is called singular; in one
#           chunk both are right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" "dask[array]==2026.8.0" numpy==2.4.6 scipy==1.17.1
PYTHONPATH="$work/lib" python3 - <<'PY'
import warnings
import dask.array as da
import numpy as np

warnings.simplefilter("ignore")
true = np.array([1.0, 2.0, 3.0, 4.0])
small = np.block([[1e-20 * np.eye(2), np.array([[2.0, 1.0], [1.0, 3.0]])], [np.eye(2), np.eye(2)]])
turn = np.eye(4)[[2, 3, 0, 1]]

def solve(a, chunk):
    """The solution in chunks of a size, or the name of the error."""
    b = da.from_array(a @ true, chunks=chunk)
    try:
        return da.linalg.solve(da.from_array(a, chunks=chunk), b).compute(scheduler="synchronous").tolist()
    except Exception as error:
        return type(error).__name__

same = True
for name, a, seen in (("small corner", small, [0, 0, 3, 4]), ("permutation", turn, "LinAlgError")):
    whole, cut = solve(a, 4), solve(a, 2)
    print(f"{name}, condition {np.linalg.cond(a):.2f}: one chunk {whole}, four chunks {cut}")
    same &= np.allclose(whole, true) and cut == seen and np.allclose(np.linalg.solve(a, a @ true), true)
print("dask 2026.8.0 pivots inside a block only" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
