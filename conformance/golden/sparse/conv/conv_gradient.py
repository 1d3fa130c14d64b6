"""Derivatives of sparse convolutions from dense ones: cotangents and features lie on dense grids, loops over taps.

Before a case is written, integers show that it is the adjoint of the dense convolution of convolution.py, exactly:
<Y(X,W),G> = <X,dX> = <W,dW> and <Y(T,W) + Y(X,V),G> = <T,dX> + <V,dW>.
"""

import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from convolution import MARGIN, answer, at, grid_of, kernel_major, some_sites, taps  # noqa: E402
from corpus import Corpus  # noqa: E402


def gathered_vjp(coords, x, w, g, out, geometry):
    """Outputs read taps of a grid of inputs; so gradients go back to where they were read."""
    size, stride, padding, dilation = (geometry[n] for n in ("size", "stride", "padding", "dilation"))
    extent = int(max(np.abs(coords[:, 1:]).max(initial=0), np.abs(out[:, 1:]).max(initial=0) * max(stride))) + MARGIN
    batches = int(max(coords[:, 0].max(initial=0), out[:, 0].max(initial=0))) + 1
    grid = grid_of(coords, x, extent, batches)
    back = np.zeros_like(grid)
    dw = np.zeros_like(w)
    for k, f in enumerate(taps(size, dilation, True)):
        xyz = out[:, 1:] * stride + f - padding
        dw[k] = at(grid, extent, out[:, 0], xyz).T @ g
        np.add.at(back, (out[:, 0], *(xyz + extent).T), g @ w[k].T)
    return at(back, extent, coords[:, 0], coords[:, 1:]), dw


def scattered_vjp(coords, x, w, g, out, geometry):
    """Inputs spread over taps of a grid of outputs; so gradients are read from there."""
    size, stride, padding, dilation = (geometry[n] for n in ("size", "stride", "padding", "dilation"))
    reach = taps(size, dilation, False)
    extent = int(max(np.abs(coords[:, 1:] * max(stride)).max(initial=0), np.abs(out[:, 1:]).max(initial=0))) + MARGIN
    grid = grid_of(out, g, extent, int(max(coords[:, 0].max(initial=0), out[:, 0].max(initial=0))) + 1)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k, f in enumerate(reach):
        met = at(grid, extent, coords[:, 0], coords[:, 1:] * stride + f - padding)
        dx += met @ w[k].T
        dw[k] = x.T @ met
    return dx, dw


def vjp(kind, coords, x, w, g, out, geometry):
    if kind == "generative":
        met = g.reshape(len(coords), len(w), -1)
        return np.einsum("nkc,kac->na", met, w), np.einsum("na,nkc->kac", x, met)
    return (gathered_vjp if kind in ("forward", "submanifold", "target")
            else scattered_vjp)(coords, x, w, g, out, geometry)


def in_layout(dw, layout, shape):
    return dw if layout == "kernel_major" else dw.transpose(2, 0, 1).reshape(shape)


class Writer:
    def __init__(self):
        self.corpus = Corpus("conv_gradient", source=f"numpy {np.__version__}, dense grids")
        self.rng = np.random.default_rng(41)

    def values(self, shape, dtype=np.float32, exact=True):
        v = self.rng.integers(-3, 4, shape) if exact else self.rng.uniform(-1, 1, shape)
        return v.astype(dtype)

    def prove(self, kind, coords, targets, w_shape, geometry, channels):
        x, t = (self.values((len(coords), channels[0]), np.float64) for _ in range(2))
        w, v = (self.values(w_shape, np.float64) for _ in range(2))
        out, y = answer(kind, coords, x, w, targets, None, geometry)
        g = self.values(y.shape, np.float64)
        dx, dw = vjp(kind, coords, x, w, g, out, geometry)
        assert (y * g).sum() == (x * dx).sum() == (w * dw).sum()
        tangent = answer(kind, coords, t, w, targets, None,
                         geometry)[1] + answer(kind, coords, x, v, targets, None, geometry)[1]
        assert (tangent * g).sum() == (t * dx).sum() + (v * dw).sum()

    def add(self, kind, size, stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), n=16, active=None,
            channels=(3, 4),
            dtype=np.float32, layout="kernel_major", exact=True, tangent=False, note="", box=(-2, 2)):
        active = n if active is None else active
        size, stride, padding, dilation = map(list, (size, stride, padding, dilation))
        geometry = {"size": size, "stride": stride, "padding": padding, "dilation": dilation}
        coords = some_sites(self.rng, n, *box, 2)
        targets = some_sites(self.rng, n // 2, box[0] - 1, box[1] + 1, 2) if kind.startswith("target") else None
        shape = (channels[1], *size, channels[0]) if layout == "dense_5d" else (int(np.prod(size)), *channels)
        self.prove(kind, coords[:active], targets, (int(np.prod(size)), *channels), geometry, channels)
        inputs = {"coords": coords, "active_rows": np.array([active], np.int32),
                  "features": self.values((n, channels[0]), dtype, exact), "weight": self.values(shape, dtype, exact)}
        if targets is not None:
            inputs |= {"target_coords": targets, "target_active_rows": np.array([len(targets)], np.int32)}
        attrs = {"kind": kind, "kernel_size": size, "stride": stride, "padding": padding, "dilation": dilation,
                 "weight_layout": layout}
        for name in {"submanifold": ("stride", "padding"), "generative": ("padding", "dilation")}.get(kind, ()):
            del attrs[name]
        x, w = inputs["features"].astype(np.float64)[:active], kernel_major(inputs["weight"], layout)
        out, y = answer(kind, coords[:active], x, w, targets, None, geometry)
        compare = {} if exact else {"compare": "close", "tol": (2e-3, 4e-3) if dtype == np.float16 else (1e-5, 2e-5)}
        if tangent:
            t, v = self.values((n, channels[0]), dtype, exact), self.values(shape, dtype, exact)
            b = self.values(channels[1:], dtype, exact)
            inputs |= {"tangent_features": t, "tangent_weight": v, "tangent_bias": b}
            dy = answer(kind, coords[:active], t.astype(np.float64)[:active], w, targets, b, geometry)[1]
            dy = dy + answer(kind, coords[:active], x, kernel_major(v, layout), targets, None, geometry)[1]
            self.corpus.add("sparse_conv_jvp", attrs, inputs,
                            [("out_coords", out.astype(np.int32)), ("tangent_out", dy.astype(dtype))],
                            note=note, **compare)
            return
        g = self.values((len(out), channels[1]), dtype, exact)
        dx, dw = vjp(kind, coords[:active], x, w, g.astype(np.float64), out, geometry)
        grad = np.zeros((n, channels[0]))
        grad[:active] = dx
        self.corpus.add("sparse_conv_vjp", attrs, inputs | {"cotangent": g},
                        [("grad_features", grad.astype(dtype)),
                         ("grad_weight", in_layout(dw, layout, shape).astype(dtype)),
                         ("grad_bias", g.astype(np.float64).sum(0).astype(dtype))], note=note, **compare)

    def by_hand(self):
        """k3 s2 over x = 0..3: output 0 reads x = 0, 1 and output 1 reads x = 1, 2, 3."""
        line = np.array([[0, x, 0, 0] for x in range(4)], np.int32)
        column = lambda *v: np.array(v, np.float32)[:, None]
        attrs = {"kind": "forward", "kernel_size": [3, 1, 1], "stride": [2, 1, 1], "padding": [0, 0, 0],
                 "dilation": [1, 1, 1],
                 "weight_layout": "kernel_major"}
        inputs = {"coords": line, "active_rows": np.array([4], np.int32), "features": column(1, 2, 3, 4),
                  "weight": column(1, 2, 3)[:, None]}
        dx, dw = column(2, 13, 20, 30), column(20, 31, 42)[:, None]
        for g, bias, note in ((column(1, 10, 100, 1000), 1111, "rows beyond the outputs reach the bias only"),
                              (column(1, 10, np.nan, 1), np.nan, "and NaN there reaches nothing else"),
                              (column(1, 10), 11, "as many rows as there are outputs")):
            self.corpus.add("sparse_conv_vjp", attrs, inputs | {"cotangent": g},
                            [("grad_features", dx), ("grad_weight", dw), ("grad_bias", np.array([bias], np.float32))],
                            note=note)
        self.corpus.error("sparse_conv_vjp", attrs, inputs | {"cotangent": column(1)}, error="runtime_error",
                          note="an output without a cotangent")
        self.corpus.error("sparse_conv_vjp", attrs, inputs | {"cotangent": column(1, 2, 3, 4, 5)},
                          note="more rows than outputs could be")
        self.corpus.error("sparse_conv_vjp", attrs, inputs | {"cotangent": np.ones((4, 2), np.float32)},
                          note="channels of the cotangent")
        tangents = {"tangent_features": column(1, 1, 1, 1), "tangent_weight": column(1, 1, 1)[:, None]}
        self.corpus.add("sparse_conv_jvp", attrs, inputs | tangents,
                        [("tangent_out", column(2 + 3 + 1 + 2, 1 + 2 + 3 + 2 + 3 + 4))], note="conv(1, W) + conv(X, 1)")
        self.corpus.error("sparse_conv_jvp", attrs,
                          inputs | tangents | {"tangent_weight": np.ones((3, 1, 2), np.float32)},
                          note="a tangent of another weight")
        twice = line[[0, 0, 1]]
        self.corpus.add("sparse_conv_vjp", attrs | {"stride": [1, 1, 1]},
                        {"coords": twice, "active_rows": np.array([3], np.int32), "features": column(1, 5, 2),
                         "weight": column(1, 10, 100)[:, None], "cotangent": column(1, 2, 4)},
                        [("grad_features", column(34, 0, 340)), ("grad_weight", column(4, 11, 6)[:, None]),
                         ("grad_bias", np.array([7], np.float32))],
                        note="of equal sites the lowest row is read, by every output there")


def main():
    w = Writer()
    w.by_hand()
    w.add("submanifold", (3, 3, 3))
    w.add("submanifold", (3, 3, 3), n=30, active=26, channels=(9, 5), box=(-1, 1), exact=False)
    w.add("submanifold", (1, 3, 5), dilation=(1, 2, 1), layout="dense_5d", dtype=np.float16)
    w.add("submanifold", (1, 1, 1), channels=(5, 7))
    w.add("forward", (2, 2, 2), (2, 2, 2), channels=(4, 3), layout="dense_5d")
    w.add("forward", (3, 3, 3), (2, 2, 2), (1, 1, 1), active=13)
    w.add("forward", (3, 2, 1), (3, 1, 2), (0, 1, 0), (1, 2, 1), exact=False, dtype=np.float16,
          note="odd and even axes")
    w.add("target", (3, 3, 3), (2, 2, 2))
    w.add("target", (2, 3, 1), (1, 2, 1), dilation=(1, 1, 2), exact=False, layout="dense_5d")
    w.add("transposed", (2, 2, 2), (2, 2, 2), n=8)
    w.add("transposed", (3, 3, 1), (2, 1, 1), (1, 1, 0), n=10, layout="dense_5d", note="outputs that meet")
    w.add("transposed", (3, 1, 2), n=10, exact=False, dtype=np.float16)
    w.add("generative", (2, 2, 1), (2, 2, 2), n=8, layout="dense_5d")
    w.add("generative", (3, 1, 1), (2, 1, 1), n=10, active=9, dtype=np.float16)
    w.add("target_transposed", (3, 3, 3), (2, 2, 2), (1, 1, 1))
    w.add("target_transposed", (2, 1, 3), (2, 1, 1), dilation=(1, 1, 2), exact=False)
    w.add("submanifold", (3, 3, 3), tangent=True, layout="dense_5d")
    w.add("forward", (2, 2, 2), (2, 2, 2), tangent=True, exact=False, active=14)
    w.add("target", (3, 1, 3), (2, 1, 1), tangent=True, dtype=np.float16)
    w.add("transposed", (3, 1, 2), (2, 1, 1), n=8, tangent=True)
    w.add("generative", (2, 1, 2), (2, 2, 2), n=8, tangent=True)
    w.add("target_transposed", (3, 3, 1), (2, 1, 1), (1, 1, 0), tangent=True)
    w.corpus.save()


if __name__ == "__main__":
    main()
