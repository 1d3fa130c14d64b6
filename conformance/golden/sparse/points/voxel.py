"""Points and voxels by numpy float32 scalars and dense matrices: voxelization is a matrix, its gradient the transpose.

Linear interpolation on a full grid comes from scipy.ndimage.map_coordinates, which shares no formula with the weights.
"""

import itertools
import pathlib
import sys

import numpy as np
import scipy
from scipy import ndimage

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

F = np.float32
LOW, HIGH = -(2**31), 2**31 - 1


def position(p, size, origin):
    with np.errstate(all="ignore"):
        return [F(F(F(x) - F(o)) / F(s)) for x, o, s in zip(p, origin, size)]


def whole(u):
    return int(min(max(int(np.floor(float(u))), LOW), HIGH))


def quantize(points, batch, active, size, origin):
    """(voxels in first-seen order, the voxel of each point or -1)"""
    numbers, rows = {}, []
    for i, p in enumerate(points):
        u = position(p, size, origin)
        if i >= active or not all(np.isfinite(x) for x in u):
            rows.append(-1)
        else:
            rows.append(numbers.setdefault((int(batch[i]), *map(whole, u)), len(numbers)))
    return list(numbers), np.array(rows, np.int32)


def membership(rows, voxels):
    m = np.zeros((voxels, len(rows)))
    for i, r in enumerate(rows):
        if r >= 0:
            m[r, i] = 1
    return m


def corners(points, batch, active, voxels, size, origin, nearest):
    """rows (N,8) and float32 weights (N,8)"""
    lowest = {}
    for i, v in enumerate(voxels):
        lowest.setdefault(tuple(int(x) for x in v), i)
    rows, weights = np.full((len(points), 8), -1, np.int32), np.zeros((len(points), 8), F)
    for i, p in enumerate(points[:active]):
        u = position(p, size, origin)
        if not all(np.isfinite(x) for x in u):
            continue
        if nearest:
            found = [((int(batch[i]), *(whole(F(x + F(0.5))) for x in u)), F(1))]
        else:
            found = []
            for bz, by, bx in itertools.product((0, 1), repeat=3):
                share = [F(x - np.floor(x)) if b else F(F(1) - F(x - np.floor(x))) for x, b in zip(u, (bx, by, bz))]
                site = tuple(whole(x) + b for x, b in zip(u, (bx, by, bz)))
                found.append(((int(batch[i]), *site), F(F(share[0] * share[1]) * share[2])))
        for j, (site, w) in enumerate(found):
            if site in lowest:
                rows[i, j], weights[i, j] = lowest[site], w
    return rows, weights


def weight_matrix(rows, weights, voxels):
    m = np.zeros((len(rows), voxels))
    for i, j in np.ndindex(*rows.shape):
        if 0 <= rows[i, j] < voxels:
            m[i, rows[i, j]] += float(weights[i, j])
    return m


def point_inputs(points, batch=None, active=None, key="active_rows"):
    points = np.asarray(points, F).reshape(-1, 3)
    batch = np.zeros(len(points), np.int32) if batch is None else np.asarray(batch, np.int32)
    active = len(points) if active is None else active
    return points, batch, active, {"points": points, "batch_indices": batch, key: np.array([active], np.int32)}


def frame(size, origin):
    return {"voxel_size": [float(F(s)) for s in size], "origin": [float(F(o)) for o in origin]}


def add_quantize(c, points, size=(1, 1, 1), origin=(0, 0, 0), batch=None, active=None, note=""):
    points, batch, active, inputs = point_inputs(points, batch, active)
    voxels, rows = quantize(points, batch, active, size, origin)
    counts = np.array([(rows == v).sum() for v in range(len(voxels))], np.int32)
    coords = np.array(voxels, np.int64).reshape(-1, 4).astype(np.int32)
    c.add("sparse_quantize", frame(size, origin), inputs,
          [("coords", coords), ("active_rows", np.array([len(voxels)], np.int32)), ("inverse_rows", rows),
           ("counts", counts)],
          note=note)


def add_voxelize(c, rng, points, reduction, integers, size=(1, 1, 1), origin=(0, 0, 0), batch=None, active=None,
                 note=""):
    points, batch, active, inputs = point_inputs(points, batch, active)
    voxels, rows = quantize(points, batch, active, size, origin)
    member = membership(rows, len(voxels))
    average = member / np.maximum(member.sum(1, keepdims=True), 1) if reduction == "mean" else member
    values = (lambda *s: rng.integers(-9, 10,
                                      s).astype(F)) if integers else (lambda *s: rng.standard_normal(s).astype(F))
    f, g = values(len(points), 3), values(len(voxels), 3)
    coords = np.array(voxels, np.int64).reshape(-1, 4).astype(np.int32)
    exact = integers and reduction == "sum"
    rule = {"compare": "exact"} if exact else {"compare": "close", "tol": [(0, 0), (2e-6, 1e-6)]}
    attrs = {**frame(size, origin), "reduction": reduction}
    out = average @ f.astype(float)
    c.add("voxelize", attrs, {**inputs, "features": f}, [("coords", coords), ("features", out.astype(F))], note=note,
          **rule)
    rule = {"compare": "exact"} if exact else {"compare": "close", "tol": [(2e-7, 0)]}
    back = average.T @ g.astype(float)
    assert np.isclose((out * g).sum(), (f * back).sum(), rtol=1e-12, atol=1e-9)
    c.add("voxelize_vjp", attrs, {**inputs, "features": f, "cotangent": g}, [("grad_features", back.astype(F))],
          note=note, **rule)


def add_map(c, points, voxels, word, size=(1, 1, 1), origin=(0, 0, 0), batch=None, active=None, voxel_active=None,
            note=""):
    points, batch, active, inputs = point_inputs(points, batch, active, "point_active_rows")
    voxels = np.asarray(voxels, np.int32).reshape(-1, 4)
    voxel_active = len(voxels) if voxel_active is None else voxel_active
    inputs |= {"voxel_coords": voxels, "voxel_active_rows": np.array([voxel_active], np.int32)}
    rows, weights = corners(points, batch, active, voxels[:voxel_active], size, origin, word == "nearest")
    attrs = {**frame(size, origin), "interpolation": word}
    c.add("point_voxel_map", attrs, inputs, [("rows", rows), ("weights", weights)], note=note)
    return attrs, inputs, rows, weights


def add_interpolation(c, rng, rows, weights, voxels, integers, note=""):
    values = (lambda *s: rng.integers(-9, 10,
                                      s).astype(F)) if integers else (lambda *s: rng.standard_normal(s).astype(F))
    table, g, matrix = values(voxels, 5), values(len(rows), 5), weight_matrix(rows, weights, voxels)
    rule = {"compare": "exact"} if integers else {"compare": "close", "tol": [(2e-6, 1e-6)]}
    inputs = {"voxel_features": table, "rows": rows, "weights": weights}
    out, back = matrix @ table.astype(float), matrix.T @ g.astype(float)
    assert np.isclose((out * g).sum(), (table * back).sum(), rtol=1e-12, atol=1e-9)
    c.add("interpolate_point_features", {}, inputs, [("out", out.astype(F))], note=note, **rule)
    c.add("interpolate_point_features_vjp", {}, {**inputs, "cotangent": g}, [("grad_voxel_features", back.astype(F))],
          note=note, **rule)


def borders(size):
    """Multiples of a float32 size with the numbers on both sides of each."""
    on = [F(F(k) * F(size)) for k in range(-4, 5)]
    x = [F(v) for m in on for v in (np.nextafter(m, F(-np.inf)), m, np.nextafter(m, F(np.inf)))]
    return np.stack([x, x[::-1], np.roll(x, 5)], 1)


def along_x(*xs):
    return [[x, 0, 0] for x in xs]


def add_grid(c, rng):
    """All corners exist: the interpolant of a full grid, weights that sum to one, and the identity at its sites."""
    side, low = 5, -2
    voxels = np.array([[0, x + low, y + low, z + low] for x in range(side) for y in range(side) for z in range(side)],
                      np.int32)
    order = rng.permutation(len(voxels))
    table = rng.integers(-50, 50, (len(voxels), 2)).astype(F)
    dyadic = rng.integers(low * 8, (low + side - 1) * 8, (40, 3)) / 8.0
    sites = rng.integers(low, low + side - 1, (20, 3)).astype(float)
    for points, note in ((dyadic, "a full grid, by another program"), (sites, "on the grid: the voxel's own features")):
        attrs, inputs, _, weights = add_map(c, points, voxels[order], "linear", note=note)
        assert np.all(weights.sum(1) == 1)
        dense = [table[:, k].reshape(side, side, side).astype(float) for k in range(2)]
        out = np.stack([ndimage.map_coordinates(d, (points - low).T, order=1) for d in dense], 1)
        c.add("devoxelize", attrs, {**inputs, "voxel_features": table[order]}, [("out", out.astype(F))], note=note,
              source=f"scipy {scipy.__version__}, ndimage.map_coordinates")


def add_errors(c):
    points, _, _, inputs = point_inputs(along_x(0.5, 1.5))
    plain = frame((1, 1, 1), (0, 0, 0))
    c.error("sparse_quantize", {**plain, "voxel_size": [1.0, -1.0, 1.0]}, inputs, note="a negative extent")
    c.error("sparse_quantize", plain, {**inputs, "points": points[:, :2]}, note="two columns")
    c.error("sparse_quantize", plain, {**inputs, "active_rows": np.array([-1], np.int32)}, "runtime_error",
            note="a negative count")
    c.error("voxelize", {**plain, "reduction": "max"}, {**inputs, "features": np.ones((2, 1), F)},
            note="an unknown reduction")
    c.error("voxelize", {**plain, "reduction": "sum"}, {**inputs, "features": np.ones((2, 1), np.float16)},
            note="half precision")


def main():
    c = Corpus("voxel", source=f"numpy {np.__version__}, float32 scalars and dense matrices")
    rng = np.random.default_rng(6)
    add_quantize(c, along_x(.3, .6, .7, .9, 1.1, 2.3, -.05, -.1, -.3, -0.0), (.1, 1, 1),
                 note="float32, not double: .3 is in 3")
    add_quantize(c, along_x(.2, .25, .3, .35), (.05, 1, 1), (.2, 0, 0), note="an origin")
    for size in (.1, 1.0, 7.5):
        add_quantize(c, borders(size), (size,) * 3, note="on borders and one unit in the last place to either side")
    add_quantize(c, along_x(-.3, -1, -1.2, .3), note="floor: the voxel at the origin is no wider than others")
    add_quantize(c, along_x(1e10, -1e10, 3e38, -3e38, np.inf, -np.inf, np.nan, 2.0**31, -(2.0**31), 0), (.1, 1, 1),
                 note="beyond int32 saturates; what is not finite lies in no voxel")
    add_quantize(c, rng.uniform(-2, 2, (80, 3)), batch=rng.integers(-1, 2, 80), active=70, note="three batches")
    add_quantize(c, np.tile([[.5, .5, .5]], (9, 1)), batch=[0, 1, 3] * 3, note="equal points, one batch between empty")
    for reduction in ("sum", "mean"):
        for integers in (True, False):
            add_voxelize(c, rng, rng.uniform(-2, 2, (60, 3)), reduction, integers, (.75, 1, 1.5), (.1, 0, -.2),
                         rng.integers(0, 2, 60), 55)
        add_voxelize(c, rng, np.zeros((7, 3)), reduction, True, note="one voxel")
        add_voxelize(c, rng, np.zeros((0, 3)), reduction, True, note="no points")
    few = [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0]]
    add_map(c, [[.25, .5, 0], [-.25, 0, 0], [1, 0, 0], [.5, 0, 0]], few, "linear",
            note="a missing corner weighs nothing")
    add_map(c, along_x(.5, -.5, 1.5, .49999997, -.50000006, .9), few, "nearest", note=".49999997 + .5 rounds to 1")
    line = [[0, x, 0, 0] for x in range(-9, 10)]
    add_map(c, borders(.3), rng.permutation([[0, x, y, 0] for x in range(-5, 6) for y in range(-5, 6)]), "linear",
            (.3,) * 3)
    add_map(c, borders(.3), line + line, "nearest", (.3,) * 3, note="repeated voxels: the lowest row")
    add_map(c, along_x(np.nan, np.inf, 1e10, -1e10, 2.0**31), [[0, HIGH, 0, 0], [0, LOW, 0, 0], [0, 0, 0, 0]], "linear",
            note="no voxel lies beyond the last")
    rows, weights = None, None
    for word in ("nearest", "linear"):
        voxels = rng.permutation([[b, x, y, z] for b in range(2) for x in range(-2, 3) for y in range(-2, 3)
                                  for z in range(-1, 2)])
        _, _, rows, weights = add_map(c, rng.uniform(-1.5, 1.5, (50, 3)), voxels[:90], word, (.5, .4, .75),
                                      (.1, 0, -.2),
                                      rng.integers(0, 3, 50), 45, 80)
    add_interpolation(c, rng, rows, weights, 90, False, note="weights of a map")
    add_interpolation(c, rng, rng.integers(-2, 14, (40, 8)).astype(np.int32), rng.integers(-3, 4, (40, 8)).astype(F),
                      12, True,
                      note="whole weights; rows out of range add nothing")
    add_grid(c, rng)
    add_errors(c)
    c.save()


if __name__ == "__main__":
    main()
