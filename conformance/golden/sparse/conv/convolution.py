"""Sparse convolutions as dense ones: features on a dense grid, a loop over kernel taps, results read at the outputs.

A site without a feature is a zero on the grid, so sums agree. Inputs are small integers, exact in every order, or
reals with the tolerance of their dtype.
"""

import itertools
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


def grid_of(coords, features, extent, batches):
    grid = np.zeros((batches,) + (2 * extent + 1,) * 3 + (features.shape[1],))
    grid[coords[:, 0], coords[:, 1] + extent, coords[:, 2] + extent, coords[:, 3] + extent] = features
    return grid


def at(grid, extent, batch, xyz):
    return grid[batch, xyz[:, 0] + extent, xyz[:, 1] + extent, xyz[:, 2] + extent]


def kernel_major(weight, layout):
    if layout == "kernel_major":
        return weight.astype(np.float64)
    w = weight.astype(np.float64)
    return w.reshape(w.shape[0], -1, w.shape[-1]).transpose(1, 2, 0)


def distinct(rows):
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[np.sort(first)]


def gathered(coords, features, weight, out, size, stride, padding, dilation):
    extent = int(max(np.abs(coords[:, 1:]).max(initial=0), np.abs(out[:, 1:]).max(initial=0) * max(stride))) + MARGIN
    grid = grid_of(coords, features, extent, int(max(coords[:, 0].max(initial=0), out[:, 0].max(initial=0))) + 1)
    y = np.zeros((len(out), weight.shape[2]))
    for k, f in enumerate(taps(size, dilation, True)):
        y += at(grid, extent, out[:, 0], out[:, 1:] * stride + f - padding) @ weight[k]
    return y


def scattered(coords, features, weight, size, stride, padding, dilation):
    """Every site spreads over the taps onto a dense grid of outputs; gives the grid and the sites it touched."""
    reach = taps(size, dilation, False)
    touched = (coords[:, None, 1:] * stride + reach - padding).reshape(-1, 3)
    sites = np.concatenate([np.repeat(coords[:, :1], len(reach), 0), touched], 1)
    extent = int(np.abs(touched).max(initial=0)) + MARGIN
    grid = np.zeros((int(coords[:, 0].max(initial=0)) + 1,) + (2 * extent + 1,) * 3 + (weight.shape[2],))
    for k, f in enumerate(reach):
        to = coords[:, 1:] * stride + f - padding + extent
        np.add.at(grid, (coords[:, 0], to[:, 0], to[:, 1], to[:, 2]), features @ weight[k])
    return grid, extent, sites


def answer(kind, coords, features, weight, targets, bias, g):
    if kind in ("forward", "submanifold", "target"):
        plain = g["stride"] == [1, 1, 1] and g["padding"] == [0, 0, 0]
        out = targets if kind == "target" else coords
        if kind == "forward" and not plain:
            out = distinct(np.concatenate([coords[:, :1], coords[:, 1:] // g["stride"]], 1))
        y = gathered(coords, features, weight, out, **g)
    elif kind == "generative":
        _, _, out = scattered(coords, features, weight, **g)
        y = np.einsum("na,kac->nkc", features, weight).reshape(len(out), -1)
    else:
        grid, extent, sites = scattered(coords, features, weight, **g)
        apart = all(s > (k - 1) * d for s, k, d in zip(g["stride"], g["size"], g["dilation"]))
        out = targets if kind == "target_transposed" else sites if apart else distinct(sites)
        inside = (np.abs(out[:, 1:]) <= extent).all(1) & (out[:, 0] < len(grid))
        y = np.zeros((len(out), weight.shape[2]))
        y[inside] = at(grid, extent, out[inside, 0], out[inside, 1:])
    return out, y + (0 if bias is None else bias.astype(np.float64))


def some_sites(rng, n, low, high, batches):
    side = high - low + 1
    picks = rng.choice(batches * side**3, n, replace=False)
    rest = picks % side**3
    return np.stack([picks // side**3, rest // side**2 + low, rest // side % side + low, rest % side + low],
                    1).astype(np.int32)


class Writer:
    def __init__(self):
        self.corpus = Corpus("convolution", source=f"numpy {np.__version__}, dense grids")
        self.rng = np.random.default_rng(37)

    def values(self, shape, dtype, exact):
        v = self.rng.integers(-3, 4, shape) if exact else self.rng.uniform(-1, 1, shape)
        return v.astype(dtype)

    def add(self, kind, size, stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), n=24, active=None,
            channels=(3, 4),
            dtype=np.float32, layout="kernel_major", exact=True, bias=False, note="", box=(-3, 3), batches=2):
        rng, active = self.rng, n if active is None else active
        size, stride, padding, dilation = map(list, (size, stride, padding, dilation))
        coords = some_sites(rng, n, *box, batches)
        features = self.values((n, channels[0]), dtype, exact)
        shape = (channels[1], *size, channels[0]) if layout == "dense_5d" else (int(np.prod(size)), *channels)
        inputs = {"coords": coords, "active_rows": np.array([active], np.int32), "features": features,
                  "weight": self.values(shape, dtype, exact)}
        offset = self.values(channels[1], dtype, exact) if bias else None
        if bias:
            inputs["bias"] = offset
        targets = None
        if kind.startswith("target"):
            targets = some_sites(rng, n // 2, box[0] - 1, box[1] + 1, batches)
            inputs |= {"target_coords": targets, "target_active_rows": np.array([len(targets)], np.int32)}
        attrs = {"kind": kind, "kernel_size": size, "stride": stride, "padding": padding, "dilation": dilation,
                 "weight_layout": layout}
        for name in {"submanifold": ("stride", "padding"), "generative": ("padding", "dilation")}.get(kind, ()):
            del attrs[name]
        g = {"size": size, "stride": stride, "padding": padding, "dilation": dilation}
        out, y = answer(kind, coords[:active], features[:active].astype(np.float64),
                        kernel_major(inputs["weight"], layout),
                        targets, offset, g)
        compare = {} if exact else {"compare": "close", "tol": (2e-3, 2e-3) if dtype == np.float16 else (1e-5, 1e-5)}
        self.corpus.add("sparse_conv", attrs, inputs,
                        [("out_coords", out.astype(np.int32)), ("features", y.astype(dtype))],
                        note=note, **compare)


def main():
    w = Writer()
    w.add("submanifold", (3, 3, 3))
    w.add("submanifold", (3, 3, 3), n=30, active=26, channels=(17, 9), box=(-1, 1), exact=False, bias=True)
    w.add("submanifold", (1, 3, 5), dilation=(1, 2, 1), layout="dense_5d", dtype=np.float16)
    w.add("submanifold", (3, 1, 1), channels=(64, 16), dtype=np.float16, exact=False, n=16, box=(-1, 1), batches=1,
          note="float16, one rounding at the end")
    w.add("submanifold", (1, 1, 1), channels=(5, 7), bias=True)
    w.add("forward", (2, 2, 2), (2, 2, 2), channels=(4, 6), layout="dense_5d")
    w.add("forward", (3, 3, 3), (2, 2, 2), (1, 1, 1), bias=True, active=20)
    w.add("forward", (3, 2, 1), (3, 1, 2), (0, 1, 0), (1, 2, 1), exact=False, note="odd and even axes")
    w.add("forward", (1, 1, 1), (2, 2, 2), channels=(2, 3), dtype=np.float16,
          note="a point kernel with a stride is no shortcut")
    w.add("forward", (3, 1, 1), (1, 1, 1), (1, 0, 0), note="padding with stride 1")
    w.add("forward", (4, 1, 1), note="width 4 reaches 0..3")
    w.add("target", (3, 3, 3), (2, 2, 2), bias=True)
    w.add("target", (2, 3, 1), (1, 2, 1), dilation=(1, 1, 2), exact=False, dtype=np.float16)
    w.add("target", (1, 1, 1), note="a point kernel with targets")
    w.add("transposed", (2, 2, 2), (2, 2, 2), n=10, bias=True)
    w.add("transposed", (3, 3, 1), (2, 1, 1), (1, 1, 0), n=12, layout="dense_5d")
    w.add("transposed", (3, 1, 2), (1, 1, 1), n=12, exact=False)
    w.add("generative", (2, 2, 1), (2, 2, 2), n=10, bias=True)
    w.add("generative", (3, 1, 1), (2, 1, 1), n=12, dtype=np.float16, layout="dense_5d")
    w.add("target_transposed", (3, 3, 3), (2, 2, 2), (1, 1, 1), bias=True)
    w.add("target_transposed", (2, 1, 3), (2, 1, 1), dilation=(1, 1, 2), exact=False)
    rows = {"coords": np.zeros((2, 4), np.int32), "active_rows": np.array([2], np.int32),
            "features": np.ones((2, 3), np.float32), "weight": np.ones((3, 3, 2), np.float32)}
    attrs = {"kind": "submanifold", "kernel_size": [3, 1, 1], "dilation": [1, 1, 1], "weight_layout": "kernel_major"}
    w.corpus.error("sparse_conv", attrs, {**rows, "weight": np.ones((2, 3, 2), np.float32)},
                   note="a kernel row is missing")
    w.corpus.error("sparse_conv", attrs, {**rows, "weight": np.ones((3, 3, 2), np.float16)},
                   note="weights of another dtype")
    w.corpus.error("sparse_conv", {**attrs, "weight_layout": "dense_5d"},
                   {**rows, "weight": np.ones((2, 1, 3, 1, 3), np.float32)},
                   note="the same volume, another kernel")
    w.corpus.save()


if __name__ == "__main__":
    main()
