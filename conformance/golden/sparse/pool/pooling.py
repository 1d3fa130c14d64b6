"""Sparse pooling as dense pooling: features and presence on a dense grid in binary64, taps by shifting the grid.

Expanding kinds are the other way round from their definition: inputs scatter onto the grid of outputs, which is then
read at the outputs. Gradients scatter cotangents back over the same taps. Adjoint identities are asserted exactly.
"""

import itertools
import math
import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

MARGIN = 14


def taps(size, dilation, centred):
    first = [-(k // 2) if centred and k % 2 else 0 for k in size]
    return np.array([[(f + i) * d for f, i, d in zip(first, index, dilation)]
                     for index in itertools.product(*map(range, size))])


def hat(stride):
    """Weights of trilinear taps: products of 1 - |o - (s-1)| / s."""
    axes = [[1 - abs(o - (s - 1)) / s for o in range(2 * s - 1)] for s in stride]
    return np.array([math.prod(w) for w in itertools.product(*axes)])


def distinct(rows):
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[np.sort(first)]


class Dense:
    """A grid of every batch and a cube of sites, addressed by site."""

    def __init__(self, sites, channels, fill=0.0):
        self.low = sites.min(0) if len(sites) else np.zeros(4, int)
        extent = (sites.max(0) - self.low + 1) if len(sites) else np.ones(4, int)
        self.data = np.full(tuple(extent) + (channels,), fill)

    def index(self, sites):
        at = sites - self.low
        inside = ((at >= 0) & (at < self.data.shape[:4])).all(1)
        return at[inside], inside

    def __getitem__(self, sites):
        out = np.zeros((len(sites), self.data.shape[4]))
        at, inside = self.index(sites)
        out[inside] = self.data[tuple(at.T)]
        return out

    def __setitem__(self, sites, values):
        self.data[tuple((sites - self.low).T)] = values

    def add(self, sites, values):
        at, inside = self.index(sites)
        np.add.at(self.data, tuple(at.T), np.broadcast_to(values, (len(sites), self.data.shape[4]))[inside])


def site(batch, xyz):
    return np.concatenate([batch[:, None], xyz], 1)


class Pool:
    """One pooling of active sites: its outputs, and where each tap of each output reads."""

    def __init__(self, kind, coords, size, stride, padding, dilation, targets=None, weights=None):
        self.coords, self.forward = coords.astype(np.int64), kind == "forward"
        self.stride, self.padding = np.array(stride), np.array(padding)
        self.taps = taps(size, dilation, self.forward)
        self.w = np.ones(len(self.taps)) if weights is None else weights
        if self.forward:
            plain = stride == [1, 1, 1] and padding == [0, 0, 0]
            self.out = self.coords if plain else distinct(site(self.coords[:, 0], self.coords[:, 1:] // self.stride))
        elif targets is not None:
            self.out = targets.astype(np.int64)
        else:
            apart = all(s > (k - 1) * d for s, k, d in zip(stride, size, dilation))
            spread = [self.reach(row[None], f) for row in self.coords for f in self.taps]
            every = np.concatenate(spread) if spread else self.coords
            self.out = every if apart else distinct(every)

    def reach(self, sites, f):
        return site(sites[:, 0], sites[:, 1:] * self.stride + f - self.padding)

    def pairs(self):
        """(sites read, sites written) of each tap, one row per output of a gather or per input of a scatter."""
        for f, w in zip(self.taps, self.w):
            yield (self.reach(self.out, f), self.out, w) if self.forward else (self.coords, self.reach(self.coords, f),
                                                                               w)

    def gather(self, values, fill=0.0):
        """[(value, present)] of each tap at each output, by reading a dense grid of inputs."""
        x, here = Dense(self.coords, values.shape[1], fill), Dense(self.coords, 1)
        x[self.coords], here[self.coords] = values, 1
        return [(x[self.reach(self.out, f)], here[self.reach(self.out, f)]) for f in self.taps]

    def sums(self, values):
        if self.forward:
            return sum(w * v for w, (v, _) in zip(self.w, self.gather(values)))
        grid = Dense(np.concatenate([self.reach(self.coords, f) for f in self.taps]), values.shape[1])
        for _, to, w in self.pairs():
            grid.add(to, w * values)
        return grid[self.out]

    def divisors(self):
        return self.sums(np.ones((len(self.coords), 1)))

    def pooled(self, values, mode):
        if mode == "max":
            return np.max([np.where((here > 0) & ~np.isnan(v), v, -np.inf) for v, here in self.gather(values)], axis=0)
        y = self.sums(values)
        return y if mode == "sum" else y / np.where(self.divisors() == 0, 1, self.divisors())

    def adjoint(self, cotangent):
        """Inputs from outputs over the same taps."""
        if self.forward:
            grid = Dense(self.coords, cotangent.shape[1])
            for f, w in zip(self.taps, self.w):
                grid.add(self.reach(self.out, f), w * cotangent)
            return grid[self.coords]
        g = Dense(self.out, cotangent.shape[1])
        g.add(self.out, cotangent)
        return sum(w * g[self.reach(self.coords, f)] for f, w in zip(self.taps, self.w))

    def vjp(self, values, cotangent, mode):
        if mode == "sum":
            return self.adjoint(cotangent)
        if mode != "max":
            return self.adjoint(cotangent / np.where(self.divisors() == 0, 1, self.divisors()))
        best = self.pooled(values, "max")
        same = [(v == best) & (here > 0) for v, here in self.gather(values)]
        share = cotangent / np.maximum(np.sum(same, axis=0), 1)
        grid = Dense(self.coords, cotangent.shape[1])
        for f, hit in zip(self.taps, same):
            grid.add(self.reach(self.out, f), np.where(hit, share, 0))
        return grid[self.coords]

    def jvp(self, values, tangent, mode):
        if mode != "max":
            return self.pooled(tangent, mode)
        best, kernels = self.pooled(values, "max"), len(self.taps)
        row = np.arange(len(self.coords), dtype=np.float64)[:, None]
        ranks, tangents = [], []
        for k, ((v, here), (i, _),
                (t, _)) in enumerate(zip(self.gather(values), self.gather(row), self.gather(tangent))):
            ranks.append(np.where((v == best) & (here > 0), i * kernels + k, np.inf))
            tangents.append(t)
        first = np.argmin(ranks, axis=0)[None]
        won = np.take_along_axis(np.array(tangents), first, 0)[0]
        return np.where(np.isfinite(np.min(ranks, axis=0)), won, 0)


def some_sites(rng, n, box, batches):
    side = box[1] - box[0] + 1
    picks = rng.choice(batches * side**3, n, replace=False)
    rest = picks % side**3
    return np.stack([picks // side**3, rest // side**2 + box[0], rest // side % side + box[0], rest % side + box[0]], 1)


def line(xs):
    return np.array([[0, x, 0, 0] for x in xs]).reshape(-1, 4)


class Writer:
    def __init__(self):
        self.corpus = Corpus("pooling", source=f"numpy {np.__version__}, dense grids in binary64")
        self.rng = np.random.default_rng(44)

    def draw(self, shape, exact, dtype):
        v = self.rng.integers(-6, 7, shape) if exact else self.rng.normal(size=shape)
        return v.astype(dtype)

    def close(self, exact, dtype):
        if exact:
            return {}
        return {"compare": "close", "tol": (1.5e-3, 1e-3) if dtype == np.float16 else (2e-6, 2e-6)}

    def add(self, kind, mode, size=(2, 2, 2), stride=(2, 2, 2), padding=(0, 0, 0), dilation=(1, 1, 1), coords=None,
            values=None,
            n=24, channels=3, active=None, dtype=np.float32, exact=True, targets=None, box=(-3, 3), batches=2, note="",
            derivatives=True, coord_dtype=np.int32):
        size, stride, padding, dilation = list(size), list(stride), list(padding), list(dilation)
        coords = some_sites(self.rng, n, box, batches) if coords is None else coords
        active = len(coords) if active is None else active
        x = self.draw((len(coords), channels), exact, dtype) if values is None else np.array(values, dtype)
        trilinear = mode == "trilinear"
        if trilinear:
            size, padding = [2 * s - 1 for s in stride], [s - 1 for s in stride]
        p = Pool(kind, coords[:active], size, stride, padding, dilation, targets, hat(stride) if trilinear else None)
        inputs = {"coords": coords.astype(coord_dtype), "active_rows": np.array([active], np.int32), "features": x}
        to = {} if targets is None else {"target_coords": targets.astype(coord_dtype),
                                         "target_active_rows": np.array([len(targets)], np.int32)}
        op = "trilinear_upsample3d" if trilinear else "sparse_pool"
        attrs = {"stride": stride} if trilinear else {
            "kind": kind if targets is None else "target_transposed", "kernel_size": size, "stride": stride,
            "padding": padding, "dilation": dilation, "mode": mode}
        rounds = exact and mode in ("sum", "max")
        y = p.pooled(x[:active].astype(np.float64), mode)
        self.corpus.add(op, attrs, inputs | to,
                        [("out_coords", p.out.astype(coord_dtype)), ("features", y.astype(dtype))],
                        note=note, **self.close(rounds, dtype))
        if not derivatives:
            return
        g = self.draw((len(p.out), channels), exact, dtype)
        dx = np.zeros(x.shape)
        dx[:active] = p.vjp(x[:active].astype(np.float64), g.astype(np.float64), mode)
        if exact and mode == "sum":
            assert (y * g).sum() == (dx * x).sum(), "the adjoint identity"
        elif exact and mode != "max":
            assert math.isclose((y * g).sum(), (dx * x).sum(), rel_tol=1e-12, abs_tol=1e-9), "the adjoint identity"
        self.corpus.add(op + "_vjp", attrs, inputs | {"cotangent": g} | to, [("grad_features", dx.astype(dtype))],
                        note=note,
                        **self.close(exact and mode == "sum", dtype))
        if kind != "forward":
            return
        t = self.draw(x.shape, exact, dtype)
        dy = p.jvp(x[:active].astype(np.float64), t[:active].astype(np.float64), mode)
        self.corpus.add("sparse_pool_jvp", attrs, inputs | {"tangent": t}, [("tangent_out", dy.astype(dtype))],
                        note=note,
                        **self.close(rounds, dtype))

    def check_differences(self):
        """The max gradient against exact difference quotients, where no two values of a window are equal."""
        coords = some_sites(self.rng, 20, (-2, 2), 1)
        p = Pool("forward", coords, [3, 3, 3], [2, 2, 2], [1, 1, 1], [1, 1, 1])
        x = self.rng.permutation(20).astype(np.float64)[:, None]
        g = self.rng.integers(-6, 7, (len(p.out), 1)).astype(np.float64)
        finite = lambda y: np.where(np.isfinite(y), y, 0)
        dx = p.vjp(x, g, "max")
        for i in range(20):
            step = np.zeros_like(x)
            step[i] = 0.25
            assert ((finite(p.pooled(x + step, "max")) - finite(p.pooled(x, "max"))) * g).sum() / 0.25 == dx[i, 0]

    def error(self, op, note, inputs, **attrs):
        rows = {"coords": np.zeros((2, 4), np.int32), "active_rows": np.array([2], np.int32),
                "features": np.ones((2, 3), np.float32)}
        base = {"kind": "forward", "kernel_size": [2, 2, 2], "stride": [2, 2, 2], "padding": [0, 0, 0],
                "dilation": [1, 1, 1], "mode": "sum"}
        self.corpus.error(op, base | attrs, rows | inputs, note=note)


def main():
    w = Writer()
    w.check_differences()
    four = line([0, 1, 2, 5])
    for mode in ("sum", "max", "avg"):
        w.add("forward", mode, (2, 1, 1), (2, 1, 1), coords=four, values=[[1], [2], [3], [4]], channels=1,
              derivatives=False, note="pairs on a line")
        w.add("forward", mode, (3, 1, 1), (4, 1, 1), coords=line([1, 3]), values=[[-1], [-2]], channels=1,
              derivatives=False,
              note="x=3 is lost; all below zero")
        w.add("forward", mode, (3, 1, 1), (2, 1, 1), (1, 0, 0), coords=line(range(-3, 3)), channels=2,
              note="a window without inputs")
        w.add("forward", mode, (3, 3, 3), (2, 2, 2), (1, 1, 1), n=20, active=17, channels=2)
        w.add("forward", mode, (3, 3, 3), (1, 1, 1), n=10, box=(-1, 1), batches=1, channels=17, exact=mode == "max",
              dtype=np.float16, derivatives=mode != "sum")
        w.add("forward", mode, (2, 3, 1), (2, 1, 3), (0, 1, 0), (1, 2, 1), n=8, channels=16, exact=False,
              coord_dtype=np.int64)
    w.add("forward", "max", (2, 1, 1), (2, 1, 1), coords=line([0, 1]), values=[[2, -2], [2, -2]], channels=2,
          note="ties")
    w.add("forward", "max", (2, 1, 1), (2, 1, 1), coords=line([0, 1, 2, 3]),
          values=[[-np.inf], [-np.inf], [-np.inf], [-7]], channels=1, note="the greatest is an infinity below zero")
    w.add("forward", "max", (2, 1, 1), (2, 1, 1), coords=line(range(6)),
          values=[[np.nan], [1], [2], [np.nan], [np.nan], [np.nan]],
          channels=1, derivatives=False, note="NaN is passed over; all NaN is -inf")
    w.add("forward", "avg", (2, 2, 2), coords=some_sites(w.rng, 30, (-2, 1), 1), values=np.ones((30, 1)), channels=1,
          note="ones: the divisor counts what is there")
    one = some_sites(w.rng, 12, (-2, 2), 1)
    two = np.concatenate([one, one + [1, 0, 0, 0]])
    v = w.draw((12, 2), True, np.float32)
    for mode in ("sum", "max"):
        w.add("forward", mode, coords=one, values=v, channels=2, derivatives=False, note="one batch")
        w.add("forward", mode, coords=two, values=np.concatenate([v, -v]), channels=2, derivatives=False,
              note="the same within two")
    w.add("transposed", "avg", (3, 1, 1), (2, 1, 1), (1, 0, 0), coords=line([0, 1]), values=[[.25, -.5], [.75, .5]],
          channels=2)
    w.add("transposed", "avg", (2, 2, 2), n=6, note="nothing is merged")
    w.add("transposed", "avg", (3, 3, 2), (2, 1, 2), (1, 1, 0), n=5, active=4, box=(-1, 1), exact=False)
    w.add("transposed", "avg", (3, 3, 3), (2, 2, 2), (1, 1, 1), n=10, box=(-1, 1),
          targets=some_sites(w.rng, 14, (-3, 3), 2))
    w.add("transposed", "avg", (3, 1, 1), (2, 1, 1), (1, 0, 0), coords=line([0, 1]), values=[[.25, -.5], [.75, .4]],
          channels=2, targets=line([0, 1, 2, 4]), exact=False, note="the last target meets nothing")
    w.add("transposed", "avg", (3, 1, 1), (2, 1, 1), (1, 0, 0), coords=line([0, 1]), values=[[np.nan], [1]], channels=1,
          targets=line([2, 7]), derivatives=False, note="NaN of an input that no target meets goes nowhere")
    w.add("transposed", "trilinear", stride=(2, 1, 1), coords=line([0, 1]), values=[[4], [10]], channels=1,
          note="a, a, (a+b)/2, b, b")
    w.add("transposed", "trilinear", n=4, box=(0, 1), batches=1, channels=2, exact=False)
    w.add("transposed", "trilinear", stride=(3, 1, 2), n=4, active=3, box=(0, 1), exact=False, channels=2)
    w.add("transposed", "trilinear", n=16, box=(-2, 2), targets=some_sites(w.rng, 24, (-4, 4), 2), exact=False)
    w.add("transposed", "trilinear", n=16, box=(-2, 2), targets=some_sites(w.rng, 24, (-4, 4), 2), exact=False,
          dtype=np.float16)
    w.add("transposed", "trilinear", n=1, channels=2, derivatives=False, note="a lone voxel: 27 rows of its value")
    w.error("sparse_pool", "a stride of zero", {}, stride=[2, 0, 2])
    w.error("sparse_pool", "bytes are no features", {"features": np.ones((2, 3), np.uint8)}, mode="max")
    w.error("sparse_pool_vjp", "a cotangent of other channels", {"cotangent": np.ones((2, 2), np.float32)})
    w.error("sparse_pool_jvp", "a row of tangents is missing", {"tangent": np.ones((1, 3), np.float32)}, mode="avg")
    w.corpus.save()


if __name__ == "__main__":
    main()
