"""Sites and neighbours by numpy.unique and the trees of scipy.spatial."""
import numpy as np
import scipy
from numpy_types import F32, I32


def filled(values, room, t):
    """The values at the front of an output with room for more, of which the rest says nothing."""
    out = np.zeros((room, *np.shape(values)[1:]), t)
    out[:len(values)] = values
    return out


def first_seen(coords):
    """The distinct rows, in the order in which they come first."""
    _, first = np.unique(coords, axis=0, return_index=True)
    kept = coords[np.sort(first)]
    return filled(kept, len(coords), coords.dtype), np.array([len(kept)], I32)


def near(tree, query, k):
    """The k nearest points by distance, then by row: all within the k-th distance, sorted."""
    reach = np.reshape(tree.query(query, min(k, tree.n))[0], -1)[-1]
    rows = np.array(tree.query_ball_point(query, reach * (1 + 1e-9)))
    squares = ((tree.data[rows] - query) ** 2).sum(axis=1)
    order = np.lexsort((rows, squares))[:k]
    return rows[order], squares[order]


def knn_relation(a, coords, active, queries=None, query_active=None):
    room = (len(coords) if queries is None else len(queries)) * a["k"]
    sources = coords[:active[0]]
    queries = sources if queries is None else queries[:query_active[0]]
    trees = {b: (np.flatnonzero(sources[:, 0] == b), scipy.spatial.cKDTree(sources[sources[:, 0] == b][:, 1:]))
             for b in np.unique(sources[:, 0])}
    found = []
    for q in queries:
        rows, tree = trees.get(q[0], ((), None))
        chosen, squares = near(tree, q[1:], a["k"]) if len(rows) else (np.zeros(0, int), np.zeros(0))
        found.append((np.asarray(rows, int)[chosen], squares))
    counts = [len(rows) for rows, _ in found]
    edges = sum(counts)
    offsets = filled(np.cumsum([0, *counts]), room // a["k"] + 1, I32)

    def joined(parts, t):
        return filled(np.concatenate([np.zeros(0), *parts]), room, t)
    return (joined([np.full(n, q) for q, n in enumerate(counts)], I32), joined([rows for rows, _ in found], I32),
            joined([np.arange(n) for n in counts], I32), joined([squares for _, squares in found], F32), offsets,
            np.array([edges, len(found)], I32))


OPS = {
    "knn_relation": knn_relation,
    "gather_neighbor_features": lambda a, x, rows, counts: filled(np.take(x, rows[:counts[0]], 0), len(rows), x.dtype),
    "unique_coords": lambda a, coords: first_seen(coords),
    "union_coords": lambda a, left, right: first_seen(np.concatenate([left, right])),
}
