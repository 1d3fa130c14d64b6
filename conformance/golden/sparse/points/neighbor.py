"""Neighbours by sorting every candidate, with numpy's binary32; the balls by counting lattice points."""

import pathlib
import platform
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

OUTPUTS = ["query_rows", "source_rows", "neighbor_ids", "squared_distances", "row_offsets", "counts"]
DTYPES = [np.int32, np.int32, np.int32, np.float32, np.int32, np.int32]


def squared(q, s):
    """Squares of float32 differences; the differences are exact."""
    x, y, z = (np.float32(int(a) - int(b)) for a, b in zip(q[1:], s[1:]))
    return np.float32(np.float32(x * x + y * y) + z * z)


def integer_square(q, s):
    return sum((int(a) - int(b)) ** 2 for a, b in zip(q[1:], s[1:]))


def listed(found):
    edges = [(q, row, i, d2) for q, near in enumerate(found) for i, (d2, row) in enumerate(near)]
    columns = [list(column) for column in zip(*edges)] if edges else [[], [], [], []]
    offsets = np.concatenate([[0], np.cumsum([len(near) for near in found])])
    values = columns + [offsets, [len(edges), len(found)]]
    return [(name, np.array(v, t)) for name, v, t in zip(OUTPUTS, values, DTYPES)]


def nearest(sources, queries, most, counts):
    found = []
    for q in queries:
        near = [(squared(q, s), row) for row, s in enumerate(sources) if s[0] == q[0] and counts(row, q, s)]
        found.append(sorted(near, key=lambda n: (float(n[0]), n[1]))[:most])
    return found


def inputs_of(sources, queries, active, dtype):
    sources = np.asarray(sources, dtype).reshape(-1, 4)
    active = len(sources) if active is None else active
    inputs = {"source_coords": sources, "source_active_rows": np.array([active], np.int32)}
    if queries is None:
        return inputs, sources[:active], sources[:active]
    queries = np.asarray(queries, dtype).reshape(-1, 4)
    inputs |= {"query_coords": queries, "query_active_rows": np.array([len(queries)], np.int32)}
    return inputs, sources[:active], queries


def add_knn(c, sources, queries, k, active=None, dtype=np.int32, note=""):
    inputs, sources, queries = inputs_of(sources, queries, active, dtype)
    c.add("knn_relation", {"k": k}, inputs, listed(nearest(sources, queries, k, lambda row, q, s: True)), note=note)


def add_radius(c, sources, queries, radius, most=None, active=None, dtype=np.int32, note=""):
    inputs, sources, queries = inputs_of(sources, queries, active, dtype)
    r2 = float(np.float32(float(radius) * float(radius)))
    lowest = {}
    for row, s in enumerate(sources):
        lowest.setdefault(tuple(s), row)
    near = nearest(sources, queries, most, lambda row, q, s: lowest[tuple(s)] == row and integer_square(q, s) <= r2)
    c.add("radius_relation", {"radius": float(radius), "max_neighbors": most}, inputs, listed(near), note=note)


def some_sites(rng, n, low=-4, high=4, batches=2):
    return np.concatenate([rng.integers(0, batches, (n, 1)), rng.integers(low, high + 1, (n, 3))], 1)


def knn(c, rng):
    add_knn(c, [[0, x, 0, 0] for x in (0, 0, 3, 1)], [[0, 1, 0, 0], [0, 9, 0, 0]], 3, note="sources 3,0,1 and 2,3,0")
    for k in (1, 4, 16, 17):
        add_knn(c, some_sites(rng, 40), some_sites(rng, 12), k, active=37)
    add_knn(c, some_sites(rng, 30), None, 5, note="the query itself comes first")
    add_knn(c, some_sites(rng, 20, batches=1), some_sites(rng, 9, batches=3), 30, dtype=np.int64,
            note="fewer than k; batches without sources")
    far = [[0, x, 0, 0] for x in rng.permutation(40)]
    add_knn(c, far, [[0, 10**8, 0, 0], [0, -(10**8) - 1, 3, -2]], 7,
            note="distances that are equal once rounded: the lower row first")
    add_knn(c, some_sites(rng, 30, -(2**31), 2**31 - 1, 1), some_sites(rng, 5, -(2**31), 2**31 - 1, 1), 6,
            note="the whole of int32")
    corner = [[0, 5, 0, 0], [0, 3, 3, 3], [0, -4, -4, 0], [0, 9, 9, 9]]
    clutter = [[0, x, 100, 100] for x in range(600)]
    add_knn(c, clutter + corner, [[0, 0, 0, 0]], 2,
            note="the nearest lie beyond a cube of two cells, among many sources")
    add_knn(c, [], [[0, 1, 2, 3]], 2, note="no sources")
    add_knn(c, some_sites(rng, 6), [], 2, note="no queries")


def radius(c, rng):
    line = [[0, x, 0, 0] for x in (0, 0, 3, 1)]
    add_radius(c, line, [[0, 1, 0, 0], [0, 9, 0, 0]], 2, 3, note="sources 3,0,2 and none; repeated sources are one")
    cube = [[0, x, y, z] for x in range(-2, 3) for y in range(-2, 3) for z in range(-2, 3)]
    for r in (0, 1, 1.5, 2):
        add_radius(c, [cube[i] for i in rng.permutation(125)], [[0, 0, 0, 0], [0, 2, -1, 0]], r,
                   note="1, 7, 19 and 33 sites inside")
    add_radius(c, cube, [[0, 0, 0, 0]], 0.99999999, note="float32(radius^2) is 1: the shell belongs to it")
    add_radius(c, cube, [[0, 0, 0, 0]], 0.9999, note="and here it does not")
    add_radius(c, some_sites(rng, 60), some_sites(rng, 15), 3.2, 4, active=50)
    add_radius(c, some_sites(rng, 60), None, 2.5, dtype=np.int64)
    add_radius(c, some_sites(rng, 50, -300, 300), some_sites(rng, 8, -300, 300), 250, 9,
               note="a ball too large to look up")
    add_radius(c, [], [[0, 0, 0, 0]], 1, note="no sources")


def gather(c, rng):
    features = rng.standard_normal((9, 5)).astype(np.float32)
    rows = rng.integers(0, 9, 14).astype(np.int32)
    counts = np.array([14, 3], np.int32)
    c.add("gather_neighbor_features", {}, {"features": features, "source_rows": rows, "counts": counts},
          [("out", features[rows])])
    half = features.astype(np.float16)
    c.add("gather_neighbor_features", {}, {"features": half, "source_rows": rows, "counts": counts - 4},
          [("out", half[rows[:10]])],
          note="rows beyond the count are not read")
    bad = {"features": features, "source_rows": np.array([1, 9], np.int32), "counts": np.array([2, 1], np.int32)}
    c.error("gather_neighbor_features", {}, bad, note="a row that is none")


def errors(c, rng):
    one = {"source_coords": np.zeros((1, 4), np.int32), "source_active_rows": np.array([1], np.int32)}
    both = {**one, "query_coords": np.zeros((1, 4), np.int64), "query_active_rows": np.array([1], np.int32)}
    c.error("knn_relation", {"k": 0}, one)
    c.error("knn_relation", {"k": 1}, both, note="dtypes differ")
    c.error("radius_relation", {"radius": -1.0}, one)
    c.error("radius_relation", {"radius": 1.0, "max_neighbors": 0}, one)


def main():
    c = Corpus("neighbor", source=f"python {platform.python_version()}, sorting; numpy {np.__version__}")
    rng = np.random.default_rng(29)
    knn(c, rng)
    radius(c, rng)
    gather(c, rng)
    errors(c, rng)
    c.save()


if __name__ == "__main__":
    main()
