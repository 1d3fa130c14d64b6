"""Global pooling by boolean masks, one batch at a time, in binary64."""

import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402


def members(coords, active, batches, counts):
    """The active rows of each batch."""
    rows = np.arange(len(coords))
    if counts is None:
        return [np.flatnonzero((rows < active) & (coords[:, 0] == b)) for b in range(batches)]
    ends = np.cumsum([0] + counts)
    return [rows[(rows >= first) & (rows < last) & (rows < active)] for first, last in zip(ends, ends[1:])]


def pooled(mode, x, rows):
    if mode == "max":
        return np.fmax.reduce(x[rows], axis=0, initial=-np.inf)
    total = x[rows].sum(0)
    return total / max(len(rows), 1) if mode == "avg" else total


def shares(mode, x, g, rows):
    if mode == "sum":
        return np.broadcast_to(g, (len(rows), len(g)))
    if mode == "avg":
        return np.broadcast_to(g / max(len(rows), 1), (len(rows), len(g)))
    same = x[rows] == pooled("max", x, rows)
    return np.where(same, g / same.sum(0), 0)


class Writer:
    def __init__(self):
        self.corpus = Corpus("global_pooling", source=f"numpy {np.__version__}, masks in binary64")
        self.rng = np.random.default_rng(45)

    def sites(self, n, batches):
        picks = self.rng.choice(500, n, replace=False)
        b = np.concatenate([np.arange(batches), self.rng.integers(0, batches, n - batches)]) if n else np.zeros(0, int)
        return np.stack([self.rng.permutation(b), picks // 100, picks // 10 % 10, picks % 10], 1).astype(np.int32)

    def add(self, mode, coords, x, active=None, batch_size=None, counts=None, exact=True, note="", gradient=True):
        active = len(coords) if active is None else active
        lists = members(coords, active, batch_size, counts)
        attrs = {k: v for k, v in (("batch_size", batch_size), ("batch_counts", counts)) if v is not None}
        inputs = {"coords": coords, "active_rows": np.array([active], np.int32), "features": x}
        wide, dtype = x.astype(np.float64), x.dtype
        y = np.array([pooled(mode, wide, rows) for rows in lists]).reshape(len(lists), x.shape[1])
        close = {} if exact else {"compare": "close", "tol": (1.5e-3, 1e-3) if dtype == np.float16 else (2e-6, 2e-6)}
        self.corpus.add(f"global_{mode}_pool", attrs, inputs, [("out", y.astype(dtype))], note=note, **close)
        if not gradient:
            return
        g = self.rng.integers(-6, 7, y.shape).astype(dtype)
        dx = np.zeros(x.shape)
        for b, rows in enumerate(lists):
            dx[rows] = shares(mode, wide, g[b].astype(np.float64), rows)
        used = np.concatenate(lists).astype(int)
        if exact and mode == "sum":
            assert (y * g).sum() == (dx[used] * wide[used]).sum(), "the adjoint identity"
        self.corpus.add(f"global_{mode}_pool_vjp", attrs, inputs | {"cotangent": g},
                        [("grad_features", dx.astype(dtype))], note=note)

    def error(self, mode, note, error="invalid_argument", coords=None, **attrs):
        coords = np.array([[0, 0, 0, 0], [1, 0, 0, 0]], np.int32) if coords is None else coords
        inputs = {"coords": coords, "active_rows": np.array([len(coords)], np.int32),
                  "features": np.ones((len(coords), 2), np.float32)}
        self.corpus.error(f"global_{mode}_pool", attrs, inputs, error=error, note=note)


def main():
    w = Writer()
    for mode in ("sum", "avg", "max"):
        x = w.rng.integers(-9, 10, (20, 3)).astype(np.float32)
        w.add(mode, w.sites(20, 3), x, batch_size=3, exact=mode != "avg", note="batches in any order")
        real = w.rng.normal(size=(24, 5)).astype(np.float16)
        w.add(mode, w.sites(24, 2), real, batch_size=2, active=21, exact=mode == "max")
        w.add(mode, w.sites(12, 2), x[:12], counts=[5, 4, 3], exact=mode != "avg",
              note="counts rule, whatever column 0 says")
        padded = x[:12].copy()
        padded[9:] = [[np.nan, np.inf, -np.inf]]
        sites = w.sites(12, 2)
        sites[9:] = 0
        w.add(mode, sites, padded, active=9, batch_size=2, exact=mode != "avg",
              note="padding that is not finite goes nowhere", gradient=False)
        w.add(mode, sites, padded, active=9, counts=[4, 8], exact=mode != "avg", note="the same with counts",
              gradient=False)
        same = np.array([[2, 1], [2, 3], [1, 3], [0, 3]], np.float32)
        w.add(mode, np.array([[0, i, 0, 0] for i in range(4)], np.int32), same, batch_size=1, note="one batch")
        both = np.concatenate([same, -same])
        two = np.array([[b, i, 0, 0] for b in (0, 1) for i in range(4)], np.int32)
        w.add(mode, two, both, batch_size=2, note="the same batch within two")
        w.add(mode, two, -1 - np.abs(both), batch_size=2, note="all below zero", gradient=False)
        beyond = two.copy()
        beyond[::2, 0] = [-1, 7, 2, -3]
        beyond[1] = [0, 1, 0, 0]
        w.add(mode, beyond, both, batch_size=2, exact=mode != "avg", note="batches that were not asked for")
    sites = np.array([[0, i, 0, 0] for i in range(2100)], np.int32)
    w.add("avg", sites, np.ones((2100, 1), np.float16), batch_size=1, note="more rows than a half can count by ones",
          gradient=False)
    x = w.rng.integers(-9, 10, (6, 2)).astype(np.float32)
    gaps = np.array([[b, 1, 2, 3 + i] for i, b in enumerate([0, 3, 3, 0, 0, 3])], np.int32)
    for mode in ("sum", "avg"):
        w.add(mode, gaps, x, batch_size=5, exact=mode == "sum", note="empty batches are 0")
        w.add(mode, np.zeros((0, 4), np.int32), np.zeros((0, 3), np.float32), counts=[0], note="no rows, one batch")
    line = np.array([[0, i, 0, 0] for i in range(3)], np.int32)
    w.add("max", line, np.array([[np.nan, np.nan], [1, np.nan], [-2, np.nan]], np.float32), batch_size=1,
          note="NaN is passed over; all NaN is -inf", gradient=False)
    w.error("max", "an empty batch", error="runtime_error", batch_size=3)
    w.error("max", "no batches", error="runtime_error", coords=np.zeros((0, 4), np.int32), batch_size=0)
    w.error("sum", "a negative batch_size", batch_size=-1)
    w.error("avg", "counts of other rows", batch_counts=[1, 2])
    w.error("avg", "two counts, three batches", batch_counts=[1, 1], batch_size=3)
    w.corpus.save()


if __name__ == "__main__":
    main()
