#!/usr/bin/env bash
# Library   scipy 1.17.1 (the last for Python 3.11), scipy.sparse.linalg.norm of DIA arrays, with numpy 2.4.6
# Expected  the Frobenius norm of the matrix, the same in every sparse format
# Seen      in DIA format the stored values that lie outside the matrix are counted too: 100.06 for a matrix of 2 and 3
#           (true: 3.61), NaN where a NaN fills the unused place. spdiags makes such arrays from any vector; sum, 1-norm
#           and conversions leave them out
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" scipy==1.17.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
from scipy import sparse
from scipy.sparse import linalg

same = True
true = float(np.hypot(2, 3))
for outside, seen in ((100.0, float(np.sqrt(10013))), (np.nan, np.nan), (0.0, true)):
    a = sparse.spdiags(np.array([[outside, 2.0, 3.0]]), [1], 3, 3)
    got = float(linalg.norm(a)), float(linalg.norm(a.tocsr())), float(np.linalg.norm(a.toarray()))
    print(f"unused place {outside}: {a.format} norm {got[0]}, csr {got[1]}, dense {got[2]}, sum {a.sum()}")
    same &= np.allclose(got, [seen, true, true], equal_nan=True) and a.format == "dia" and a.sum() == 5
    same &= float(linalg.norm(a, 1)) == 3
print("scipy 1.17.1 counts what lies outside the matrix" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
