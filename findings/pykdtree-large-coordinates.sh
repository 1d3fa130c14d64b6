#!/usr/bin/env bash
# Library   pykdtree 1.4.3, KDTree.query, with numpy 2.4.6 and scipy 1.17.1
# Expected  as SciPy's tree, whose interface it has: where no neighbour is left, the distance is infinite and the index
#           the number of points; points at 1e20 in float32 or 1e200 in float64 have neighbours, their distances fit
# Seen      where k exceeds the number of points the index is 4294967295 and the distance 1.8e19 or 1.3e154, numbers
#           that look like distances; the same comes for every neighbour whose squared distance overflows, though the
#           point is there
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" pykdtree==1.4.3 numpy==2.4.6 scipy==1.17.1
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
from pykdtree.kdtree import KDTree
from scipy.spatial import KDTree as Scipy

none = 2**32 - 1
same = True
for dtype, scale, end in (("float32", 1e20, 1.8446743e19), ("float64", 1e200, 1.3407808e154)):
    points = np.array([[0, 0], [3, 4], [6, 8]], dtype)
    for factor, k, index in ((1, 3, [0, 1, 2]), (1, 4, [0, 1, 2, none]), (scale, 2, [0, none])):
        p = points * points.dtype.type(factor)
        distance, found = KDTree(p).query(p[:1], k=k)
        right = Scipy(p.astype(float)).query(p[:1].astype(float), k=k)
        print(f"{dtype} times {factor:g}, k={k}: {distance[0]} {found[0]}; scipy {right[0][0]} {right[1][0]}")
        same &= found[0].tolist() == index and (none not in index or abs(distance[0][-1] / end - 1) < 1e-6)
print("pykdtree 1.4.3 has numbers for what it does not find" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
