"""Recorded gradients of dense convolutions: MLX's on whole numbers, NumPy's sums in binary64 on others.

(pip install numpy ml_dtypes mlx)"""

import itertools
import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from convolutions import TYPES, close, from_mlx, to_mlx  # noqa: E402
from corpus import Corpus  # noqa: E402

MLX = f"mlx {mx.__version__}, CPU"
c = Corpus("dense_conv_gradient", source=f"numpy {np.__version__}, in binary64")
rng = np.random.default_rng(20250319)
mx.set_default_device(mx.cpu)


def whole(shape, dtype):
    return rng.integers(-3, 4, shape).astype(dtype)


def real(shape, dtype):
    return rng.uniform(-1, 1, shape).astype(dtype)


def gradients(x, w, g, stride, lo, hi, dilation, apart, groups, flip):
    """Of the input and of the weight, by definition: every tap's view of the padded, spread input."""
    spatial = range(1, x.ndim - 1)
    shape = [x.shape[0], *[(x.shape[d] - 1) * a + 1 + p + q for d, a, p, q in zip(spatial, apart, lo, hi)], x.shape[-1]]
    inside = (slice(None), *[slice(p, n - q, a) for n, a, p, q in zip(shape[1:-1], apart, lo, hi)])
    room, dx, dw = np.zeros(shape), np.zeros(shape), np.zeros(w.shape)
    room[inside] = x
    k, m = w.shape[1:-1], g.shape[1:-1]
    for tap in itertools.product(*[range(n) for n in k]):
        view = (slice(None),
                *[slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in zip(tap, dilation, m, stride)])
        at = tuple(n - 1 - t if flip else t for n, t in zip(k, tap))
        for c_in, c_out in [(slice(i * x.shape[-1] // groups, (i + 1) * x.shape[-1] // groups),
                             slice(i * w.shape[0] // groups, (i + 1) * w.shape[0] // groups)) for i in range(groups)]:
            dx[(*view, c_in)] += g[..., c_out] @ w[(c_out, *at)]
            dw[(c_out, *at)] += np.tensordot(g[..., c_out], room[(*view, c_in)], (range(g.ndim - 1), range(g.ndim - 1)))
    return dx[inside], dw


GEOMETRY = [  # extents, kernel, output, stride, lo, hi, kernel dilation, input dilation, groups, flip
    ([9], [3], [4], [2], [1], [0], [1], [1], 1, False),
    ([6, 5], [3, 2], [6, 2], [1, 2], [1, 0], [1, 0], [1, 2], [1, 1], 2, False),
    ([5, 4], [2, 3], [6, 7], [2, 1], [2, 2], [2, 3], [1, 1], [2, 1], 1, True),
    ([3, 4, 3], [2, 1, 3], [4, 2, 3], [1, 2, 1], [1, 0, 1], [1, 0, 1], [1, 1, 1], [1, 1, 1], 1, False)]
for extents, k, m, *rest in GEOMETRY:
    s, lo, hi, kd, apart, groups, flip = rest
    attrs = {"stride": s, "padding": lo + hi, "kernel_dilation": kd, "input_dilation": apart, "groups": groups,
             "flip": flip}
    for t in TYPES:
        x, w, g = whole([2, *extents, 2], t), whole([4, *k, 2 // groups], t), whole([2, *m, 4], t)
        dx, dw = gradients(*[v.astype(np.float64) for v in (x, w, g)], *rest)
        c.add("conv2d_vjp", attrs, {"input": x, "weight": w, "cotangent": g},
              [("grad_input", dx.astype(t)), ("grad_weight", dw.astype(t))], note="whole numbers")
    x, w, g = real([2, *extents, 2], np.float32), real([4, *k, 2 // groups], np.float32), real([2, *m, 4], np.float32)
    dx, dw = gradients(*[v.astype(np.float64) for v in (x, w, g)], *rest)
    close(c, "conv2d_vjp", attrs, {"input": x, "weight": w, "cotangent": g},
          [("grad_input", dx.astype(np.float32)), ("grad_weight", dw.astype(np.float32))], "")

# The same from MLX, whose gradients of whole numbers are exact.
for groups in (1, 2):
    x, w = whole([2, 6, 5, 4], np.float32), whole([6, 3, 2, 4 // groups], np.float32)

    def convolved(a, b):
        return mx.conv2d(a, b, (2, 1), (1, 0), (1, 2), groups)

    g = whole(convolved(to_mlx(x), to_mlx(w)).shape, np.float32)
    _, (dx, dw) = mx.vjp(convolved, [to_mlx(x), to_mlx(w)], [to_mlx(g)])
    c.add("conv2d_vjp", {"stride": [2, 1], "padding": [1, 0], "dilation": [1, 2], "groups": groups},
          {"input": x, "weight": w, "cotangent": g},
          [("grad_input", from_mlx(dx, np.float32)), ("grad_weight", from_mlx(dw, np.float32))], source=MLX)
c.save()
