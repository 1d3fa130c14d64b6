"""Arithmetic between sparse tensors by plain dictionaries; features by numpy in the features' own dtype."""

import pathlib
import platform
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

OPS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum}


def lowest(sites):
    rows = {}
    for i, site in enumerate(sites):
        rows.setdefault(site, i)
    return rows


def align(lhs, rhs, join):
    in_lhs, in_rhs = lowest(lhs), lowest(rhs)
    if join == "right":
        return [(s, in_lhs.get(s, -1), j) for j, s in enumerate(rhs)]
    out = [(s, i, in_rhs.get(s, -1)) for i, s in enumerate(lhs) if join != "inner" or s in in_rhs]
    if join == "outer":
        out += [(s, -1, j) for j, s in enumerate(rhs) if s not in in_lhs]
    return out


def sites_of(coords, active):
    return [tuple(int(v) for v in row) for row in coords[:active]]


def pair(coords, feats, other_coords, other_feats, active=None, other_active=None):
    coords, other_coords = (np.asarray(c, np.int32).reshape(-1, 4) for c in (coords, other_coords))
    count = lambda c, a: np.array([len(c) if a is None else a], np.int32)
    return {"lhs_coords": coords, "lhs_active": count(coords, active), "lhs_feats": feats,
            "rhs_coords": other_coords, "rhs_active": count(other_coords, other_active), "rhs_feats": other_feats}


def taken(feats, rows, fill):
    return np.stack([feats[r] if r >= 0 else np.full(feats.shape[1], fill, feats.dtype) for r in rows]
                    or [np.zeros(feats.shape[1], feats.dtype)])[:len(rows)]


def aligned(c, op, attrs, inputs, features, join, note):
    lhs, rhs = (sites_of(inputs[s + "_coords"], inputs[s + "_active"][0]) for s in ("lhs", "rhs"))
    rows = align(lhs, rhs, join)
    column = lambda values, shape=(-1,): np.array(values, np.int32).reshape(shape)
    l, r = [x[1] for x in rows], [x[2] for x in rows]
    c.add(op, attrs, inputs,
          [("out_coords", column([x[0] for x in rows], (-1, 4))), ("features", features(l, r)),
           ("active", np.array([len(rows)], np.int32)), ("lhs_rows", column(l)), ("rhs_rows", column(r))], note=note)


def binary(c, op, join, inputs, lhs_fill=0.0, rhs_fill=0.0, note=""):
    def features(l, r):
        with np.errstate(all="ignore"):
            return OPS[op](taken(inputs["lhs_feats"], l, lhs_fill), taken(inputs["rhs_feats"], r, rhs_fill))
    aligned(c, "sparse_binary", {"op": op, "join": join, "lhs_fill": lhs_fill, "rhs_fill": rhs_fill}, inputs, features,
            join, note)


def cat(c, join, inputs, note=""):
    features = lambda l, r: np.concatenate([taken(inputs["lhs_feats"], l, 0), taken(inputs["rhs_feats"], r, 0)], 1)
    aligned(c, "sparse_cat_aligned", {"join": join}, inputs, features, join, note)


def line(*xs):
    return [[0, x, 0, 0] for x in xs]


def column(*values, dtype=np.float32):
    return np.array(values, dtype).reshape(-1, 1)


def some_sites(rng, n, low=-2, high=2, batches=2):
    side = high - low + 1
    picks = rng.choice(batches * side**3, n, replace=False)
    rest = picks % side**3
    return np.stack([picks // side**3, rest // side**2 + low, rest // side % side + low, rest % side + low],
                    1).astype(np.int32)


def reindex(c, coords, feats, targets, fill, active=None, target_active=None, dtype=np.int32, note=""):
    coords, targets = (np.asarray(x, dtype).reshape(-1, 4) for x in (coords, targets))
    active = len(coords) if active is None else active
    target_active = len(targets) if target_active is None else target_active
    rows = lowest(sites_of(coords, active))
    found = [rows.get(s, -1) for s in sites_of(targets, target_active)]
    found += [-1] * (len(targets) - len(found))
    c.add("reindex_sparse", {"fill": fill},
          {"coords": coords, "active_rows": np.array([active], np.int32), "features": feats,
           "target_coords": targets, "target_active_rows": np.array([target_active], np.int32)},
          [("features", taken(feats, found, fill))], note=note)


def gather(c, feats, rows, fill, note=""):
    kept = [r if 0 <= r < len(feats) else -1 for r in rows]
    c.add("gather_aligned_features", {"fill": fill}, {"features": feats, "rows": np.array(rows, np.int32)},
          [("out", taken(feats, kept, fill))], note=note)


def main():
    c = Corpus("sparse_algebra", source=f"python {platform.python_version()}, dictionaries; numpy {np.__version__}")
    rng = np.random.default_rng(7)
    worked = pair(line(2, 0, 1), column(1, 2, 3), line(1, 5, 2), column(10, 20, 30))
    binary(c, "add", "outer", worked, note="31, 2, 13, 20")
    binary(c, "sub", "outer", worked, note="-29, 2, -7, -20")
    binary(c, "mul", "inner", worked, note="30, 30")
    binary(c, "maximum", "left", worked, rhs_fill=5.0, note="30, 5, 10")
    binary(c, "minimum", "right", worked, lhs_fill=-1.5)
    some = lambda n, t: rng.standard_normal((n, 3)).astype(t)
    for k, op in enumerate(OPS):
        for join in (("inner", "outer"), ("left", "right"))[k % 2]:
            t = (np.float32, np.float16)[(k + len(join)) % 2]
            binary(c, op, join, pair(some_sites(rng, 40), some(40, t), some_sites(rng, 30), some(30, t), 37, 30), 0.25,
                   -2.0)
    twice = pair(line(1, 1, 2, 3), column(1, 2, 3, 4), line(1, 3, 3, 1, 9, 9), column(10, 20, 30, 40, 50, 60))
    for join in ("inner", "left", "right", "outer"):
        binary(c, "add", join, twice, note="repeats stay on the driving side and mean the lowest row on the other")
    batches = pair([[0, 1, 1, 1], [2, 1, 1, 1], [-1, 1, 1, 1]], column(1, 2, 3), [[1, 1, 1, 1], [2, 1, 1, 1]],
                   column(5, 7))
    binary(c, "sub", "outer", batches, note="equal sites of different batches do not meet")
    top, low = 2**31 - 1, -(2**31)
    binary(c, "add", "outer",
           pair([[0, top, low, 0], [top, 0, 0, low]], column(1, 2), [[0, low, top, 0], [top, 0, 0, low]], column(4, 8)))
    special = pair(line(0, 1, 2, 3, 4), column(np.nan, np.inf, -1, np.inf, 5), line(0, 1, 2, 3, 5),
                   column(1, -np.inf, np.nan, np.inf, np.nan))
    for op in OPS:
        binary(c, op, "outer", special, note="NaN of one side is not hidden by the other")
    binary(c, "add", "outer", pair([], np.zeros((0, 1), np.float32), line(3), column(4)), note="nothing on the left")
    binary(c, "mul", "inner", pair(line(0, 1), column(1, 2), line(0, 1), column(3, 4), 0, 2),
           note="nothing active on the left")
    for join in ("inner", "left", "right", "outer"):
        cat(c, join,
            pair(line(2, 0, 1), column(np.nan, -2, 3), line(1, 5, 2), rng.integers(-9, 9, (3, 2)).astype(np.float32)))
    cat(c, "outer", pair(some_sites(rng, 20), some(20, np.float16), some_sites(rng, 25), some(25, np.float16), 20, 22))
    leak = np.array([[np.nan, -np.inf], [-1, 2]], np.float32)
    gather(c, leak, [1, -1, 0, -1], 0.0, note="missing rows are +0, whatever row 0 holds")
    gather(c, leak, [-1, 1, 2, -7, 2**31 - 1], 2.5, note="what is no row is missing")
    gather(c, np.zeros((0, 3), np.float16), [-1, -1], 1.0, note="no rows at all")
    reindex(c, line(2, 0, 1, 2), column(1, np.nan, 3, 4), line(1, 2, 7, 0), -1.0,
            note="a repeated site is its lowest row")
    reindex(c, line(2, 0, 1), column(1, 2, 3), line(1, 2, 0), 9.0, active=2, target_active=2,
            note="inactive rows on both sides")
    reindex(c, some_sites(rng, 30), some(30, np.float16), some_sites(rng, 30), 0.0, dtype=np.int64)
    bad = {**worked, "rhs_feats": np.zeros((3, 2), np.float32)}
    attrs = {"op": "add", "join": "outer", "lhs_fill": 0.0, "rhs_fill": 0.0}
    c.error("sparse_binary", attrs, bad, note="channels differ")
    c.error("sparse_binary", {**attrs, "op": "div"}, worked)
    c.error("sparse_binary", {**attrs, "join": "cross"}, worked)
    wide = {**worked, "lhs_coords": np.zeros((3, 4), np.int64), "rhs_coords": np.zeros((3, 4), np.int64)}
    c.error("sparse_binary", attrs, wide, note="alignment takes int32 coordinates")
    c.error("sparse_cat_aligned", {"join": "inner"}, {**worked, "lhs_active": np.array([-1], np.int32)},
            error="runtime_error")
    c.save()


if __name__ == "__main__":
    main()
