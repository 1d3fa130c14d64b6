"""Rows of sparse tensors by plain dictionaries and numpy: means in binary64, ranks by numpy's stable argsort."""

import math
import pathlib
import platform
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402


def sites_of(coords):
    return [tuple(int(v) for v in row) for row in coords]


def merge(c, coords, feats, active=None, reduction="mean", dtype=np.int32, note=""):
    coords = np.asarray(coords, dtype).reshape(-1, 4)
    inputs = {"coords": coords, "features": feats}
    if active is not None:
        inputs["active_rows"] = np.array([active], np.int32)
    n = len(coords) if active is None else active
    groups = {}
    for i, site in enumerate(sites_of(coords[:n])):
        groups.setdefault(site if reduction == "mean" else i, []).append(i)
    rows = list(groups.values())
    means = [np.mean(feats[g].astype(np.float64), 0) if len(g) > 1 else feats[g[0]].astype(np.float64) for g in rows]
    out = np.array(means, np.float64).reshape(len(rows), feats.shape[1]).astype(feats.dtype)
    tolerance = (2**-10 if feats.dtype == np.float16 else 2**-20, 2**-20)
    c.add("sparse_from_coordinates", {"duplicate_reduction": reduction}, inputs,
          [("out_coords", np.array([coords[g[0]] for g in rows], dtype).reshape(-1, 4)), ("features", out),
           ("active", np.array([len(rows)], np.int32))], compare="close", tol=[(0, 0), tolerance, (0, 0)], note=note)


def collate(c, tensors, note=""):
    inputs, coords, feats = {}, [], []
    for b, (xyz, x) in enumerate(tensors):
        inputs |= {f"coords{b}": xyz, f"feats{b}": x}
        coords.append(np.concatenate([np.full((len(xyz), 1), b, xyz.dtype), xyz], 1))
        feats.append(x)
    c.add("sparse_collate", {}, inputs, [("out_coords", np.concatenate(coords)), ("features", np.concatenate(feats)),
                                         ("batch_counts", np.array([len(x) for x in feats], np.int32))], note=note)


def tensor(coords, feats, active=None):
    return {"coords": coords, "active_rows": np.array([len(coords) if active is None else active], np.int32),
            "features": feats}


def kept(c, op, attrs, inputs, rows, note=""):
    rows = np.array(rows, np.int32)
    c.add(op, attrs, inputs, [("out_coords", inputs["coords"][rows]), ("features", inputs["features"][rows]),
                              ("active", np.array([len(rows)], np.int32)), ("rows", rows)], note=note)


def crop(c, inputs, low, high, note=""):
    sites = sites_of(inputs["coords"])[:int(inputs["active_rows"][0])]
    rows = [i for i, s in enumerate(sites) if all(l <= v <= h for l, v, h in zip(low, s[1:], high))]
    kept(c, "crop", {"min_coord": low, "max_coord": high}, inputs, rows, note)


def topk(c, feats, counts, batches, rho=1.0, note=""):
    rows, first = [], 0
    for keep, n in zip(counts, batches):
        order = np.argsort(feats[first:first + n, 0], kind="stable") + first
        rows += list(order[n - min(math.floor(keep * rho), n):])
        first += n
    inputs = {"features": feats, "counts": np.array(counts, np.int32), "batch_counts": np.array(batches, np.int32)}
    c.add("topk_rows", {"rho": rho}, inputs,
          [("rows", np.array(rows, np.int32)), ("count", np.array([len(rows)], np.int32))],
          note=note)


def line(*xs):
    return np.array([[0, x, 0, 0] for x in xs], np.int32)


def column(*values, dtype=np.float32):
    return np.array(values, dtype).reshape(-1, 1)


def main():
    c = Corpus("sparse_rows", source=f"python {platform.python_version()}, dictionaries; numpy {np.__version__}")
    rng = np.random.default_rng(11)
    some = lambda *shape, t=np.float32: rng.standard_normal(shape).astype(t)
    sites = lambda n, t=np.int32: rng.integers(-2, 3, (n, 4)).astype(t)
    merge(c, line(3, -1, 3, 3, -1), column(1, 10, 2, 6, 20), note="first seen first: 3, 15")
    merge(c, line(3, -1, 3, 3, -1), column(1, 10, 2, 6, 20), reduction="none", note="nothing is merged")
    merge(c, line(3, -1, 3, 3, -1), column(1, 10, 2, 6, 20), active=3)
    merge(c, [[0, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1], [-1, 1, 1, 1]], column(2, 4, 6, 8), note="batches stay apart")
    merge(c, line(*[5] * 40), np.full((40, 2), 4096, np.float16),
          note="the sum is beyond half precision, the mean is not")
    merge(c, np.concatenate([sites(30), sites(30)]), some(60, 3), active=55)
    merge(c, rng.integers(0, 2, (60, 4)), some(60, 4, t=np.float16), dtype=np.int64)
    merge(c, line(), np.zeros((0, 3), np.float32), note="no rows")
    merge(c, line(1, 1, 2), column(np.inf, -np.inf, np.nan), note="inf - inf is NaN, NaN alone is kept")
    xyz = lambda n, t=np.int32: rng.integers(-9, 9, (n, 3)).astype(t)
    collate(c, [(xyz(3), some(3, 2))])
    collate(c, [(xyz(3), some(3, 2)), (xyz(0), some(0, 2)), (xyz(4), some(4, 2))], note="an empty tensor in the middle")
    collate(c, [(xyz(n, np.int64), some(n, 5, t=np.float16)) for n in (2, 5, 1, 7)])
    whole = tensor(sites(12), some(12, 3), 9)
    for rows in ([8, 0, 3, 3, 0], [], list(range(9))):
        c.add("prune", {}, {**whole, "rows": np.array(rows, np.int32)},
              [("out_coords", whole["coords"][rows] if rows else np.zeros((0, 4), np.int32)),
               ("features", whole["features"][rows] if rows else np.zeros((0, 3), np.float32))],
               note="order and repeats stay")
    for mask in (np.arange(12) % 3 == 0, np.zeros(12, bool), np.arange(12) < 9):
        mask = mask & (np.arange(12) < 9)
        kept(c, "prune_mask", {}, {**whole, "mask": mask}, np.flatnonzero(mask))
    big = tensor(sites(40, np.int64), some(40, 2, t=np.float16), 33)
    mask = (rng.random(40) < 0.5) & (np.arange(40) < 33)
    kept(c, "prune_mask", {}, {**big, "mask": mask}, np.flatnonzero(mask))
    crop(c, tensor(line(-3, -2, 0, 2, 3, 4), column(1, 2, 3, 4, 5, 6)), [-2, 0, 0], [3, 0, 0],
         note="both corners belong to the box")
    crop(c, tensor(line(-3, -2, 0, 2, 3, 4), column(1, 2, 3, 4, 5, 6), 4), [-2, 0, 0], [3, 0, 0],
         note="two rows are inactive")
    crop(c, big, [-1, -2, 0], [1, 2, 0])
    crop(c, big, [5, 5, 5], [6, 6, 6], note="nothing inside")
    top, low = 2**31 - 1, -(2**31)
    edge = tensor(np.array([[0, low, top, 0], [1, top, top, 0], [2, low, low, 0]], np.int32), column(1, 2, 3))
    crop(c, edge, [low, top, 0], [low, top, 0])
    topk(c, column(3, 1, 2, 9, 8, 7), [2, 1], [3, 3], note="scores ascend: rows 2, 0, 3")
    topk(c, column(1, 1, 1, 1), [2], [4], note="the later of equal rows rank higher")
    topk(c, column(0.0, -0.0, np.nan, 5, np.inf, -np.inf, np.nan), [5], [7], note="NaN ranks highest, zeros are equal")
    topk(c, some(30, 3), [4, 7, 0, 9], [10, 0, 5, 15], 0.5, note="an empty batch, nothing to keep")
    topk(c, some(30, 2, t=np.float16), [400, 3], [10, 20], 2.5, note="no more than there are")
    bad = {**whole, "rows": np.array([9], np.int32)}
    c.error("prune", {}, bad, error="runtime_error", note="an inactive row")
    c.error("prune_mask", {}, {**whole, "mask": np.ones(12, bool)}, error="runtime_error", note="inactive rows")
    c.error("prune_mask", {}, {**whole, "mask": np.zeros(9, bool)}, note="a mask for fewer rows")
    c.error("crop", {"min_coord": [0, 1, 0], "max_coord": [0, 0, 0]}, whole, note="an empty axis")
    scores = {"features": column(1, 2), "counts": np.array([1], np.int32), "batch_counts": np.array([2], np.int32)}
    c.error("topk_rows", {"rho": 0.0}, scores)
    c.error("topk_rows", {"rho": 1.0}, {**scores, "counts": np.array([1, 1], np.int32)})
    c.error("sparse_from_coordinates", {"duplicate_reduction": "sum"}, {"coords": line(1), "features": column(1)})
    c.error("sparse_collate", {}, {"coords0": xyz(2), "feats0": some(3, 1)}, note="rows differ")
    c.save()


if __name__ == "__main__":
    main()
