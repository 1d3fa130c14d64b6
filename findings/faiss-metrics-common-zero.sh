#!/usr/bin/env bash
# Library   faiss-cpu 1.15.1, IndexFlat with the metrics Canberra, Jensen-Shannon and Jaccard, with numpy 2.4.6
# Expected  a coordinate that is 0 in both vectors adds nothing, as in SciPy 1.17.1 (canberra, jensenshannon), and an
#           exact search of all vectors for all of them returns all, the queried one first
# Seen      0 / 0 and 0 log 0 make such distances NaN, and NaN never enters the result: of three vectors that are 0 in
#           the last coordinate none is found, index -1 and 3.4e38 stand there without an error. With Jaccard it is the
#           zero vector that does not find itself. Histograms with a common empty bin are the usual case. L1 and Bray-
#           Curtis are right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" faiss-cpu==1.15.1 numpy==2.4.6 scipy==1.17.1
PYTHONPATH="$work/lib" python3 - <<'PY'
import faiss
import numpy as np
from scipy.spatial.distance import canberra, jensenshannon

common = np.array([[0.5, 0.5, 0], [0.25, 0.75, 0], [0.75, 0.25, 0]], np.float32)
full = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]], np.float32)

def found(metric, points):
    """How many of the points a query with the first one returns, and the nearest."""
    index = faiss.IndexFlat(points.shape[1], metric)
    index.add(points)
    rows = index.search(points[:1], len(points))[1][0]
    return int((rows >= 0).sum()), int(rows[0])

print("SciPy:", [[round(float(f(common[0], c)), 6) for c in common] for f in (canberra, jensenshannon)])
same = all(np.isfinite(f(common[0], c)) for f in (canberra, jensenshannon) for c in common)
for name in ("Canberra", "JensenShannon", "L1", "BrayCurtis"):
    metric = getattr(faiss, "METRIC_" + name)
    seen = found(metric, common), found(metric, full)
    print(f"{name}: {seen[0][0]} of 3 found with a common 0 (first {seen[0][1]}), {seen[1][0]} of 3 without")
    same &= seen == ((0, -1) if name in ("Canberra", "JensenShannon") else (3, 0), (3, 0))
zero = found(faiss.METRIC_Jaccard, np.array([[0, 0], [1, 1]], np.float32))
print("Jaccard: the zero vector finds", zero[0], "of 2, itself among them:", zero[1] == 0)
same &= zero == (1, 1)
print("faiss 1.15.1: a common zero hides vectors" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
