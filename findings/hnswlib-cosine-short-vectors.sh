#!/usr/bin/env bash
# Library   hnswlib 0.8.0, space 'cosine', with numpy 2.4.6
# Expected  1 - cos of the angle, from 0 to 2, and the same for a vector and its multiples, as long as they are not 0
# Seen      the norm is squared in float32 and 1e-30 is added: a vector of length 1e-25 is multiplied by 1e30 and stored
#           with length 100000, so its distance from its own direction is -99999 and it beats every neighbour; one of
#           length 1e20 is stored as 0 and is at distance 1 from itself. From 1e-15 to 1e15 all is right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" hnswlib==0.8.0 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import hnswlib
import numpy as np

def look(length):
    """Distances of (1, 0) from two vectors of the given length, along it and at 45 degrees; the first as stored."""
    along, across = np.array([1, 0], np.float32), np.array([1, 1], np.float32) / np.float32(np.sqrt(2))
    index = hnswlib.Index(space="cosine", dim=2)
    index.init_index(max_elements=2)
    index.add_items(np.stack([along, across]) * np.float32(length))
    labels, distances = index.knn_query(along[None], k=2)
    return distances[0][np.argsort(labels[0])].tolist(), index.get_items([0])[0]

same = True
for length in (1e-25, 1e-15, 1.0, 1e15, 1e20):
    distances, stored = look(length)
    print(f"length {length:g}: distances {distances}, true [0, {1 - 0.5 ** 0.5:.6f}]; the first is stored as {stored}")
    if length == 1e-25:
        same &= distances[0] < -1e4
    elif length == 1e20:
        same &= distances == [1.0, 1.0]
    else:
        same &= np.allclose(distances, [0, 1 - 0.5 ** 0.5], atol=1e-5)
print("hnswlib 0.8.0: short vectors are not normalized" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
