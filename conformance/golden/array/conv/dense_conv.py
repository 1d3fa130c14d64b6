"""Recorded dense convolutions: MLX on whole numbers, NumPy in binary64 on others.

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
c = Corpus("dense_conv", source=f"numpy {np.__version__}, windows in binary64")
rng = np.random.default_rng(20250317)
mx.set_default_device(mx.cpu)


def whole(shape, dtype):
    return rng.integers(-3, 4, shape).astype(dtype)


def real(shape, dtype):
    return rng.uniform(-1, 1, shape).astype(dtype)


def spread(x, steps):
    """Elements of the spatial axes `steps` apart, zeros between."""
    shape = [x.shape[0], *[(n - 1) * s + 1 for n, s in zip(x.shape[1:-1], steps)], x.shape[-1]]
    out = np.zeros(shape, x.dtype)
    out[(slice(None), *[slice(None, None, s) for s in steps])] = x
    return out


def correlate(x, w, stride, lo, hi, dilation, apart, groups, flip):
    """By definition, in the type of x: every tap's view of the padded input times its matrix."""
    x = np.pad(spread(x, apart), [(0, 0), *zip(lo, hi), (0, 0)])
    k = w.shape[1:-1]
    out = [(n - d * (m - 1) - 1) // s + 1 for n, m, s, d in zip(x.shape[1:-1], k, stride, dilation)]
    y = np.zeros([x.shape[0], *out, w.shape[0]], x.dtype)
    for tap in itertools.product(*[range(m) for m in k]):
        view = x[(slice(None), *[slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in
                                 zip(tap, dilation, out, stride)])]
        weight = w[(slice(None), *[m - 1 - t if flip else t for m, t in zip(k, tap)])]
        for g in range(groups):
            ci, co = x.shape[-1] // groups, w.shape[0] // groups
            y[..., g * co:(g + 1) * co] += view[..., g * ci:(g + 1) * ci] @ weight[g * co:(g + 1) * co].T
    return y


def scattered(x, w, stride, padding, dilation, more, groups):
    """A transposed convolution: each input element adds the kernel to the output."""
    k = w.shape[1:-1]
    full = [(n - 1) * s + d * (m - 1) + 1 + 3 for n, s, d, m in zip(x.shape[1:-1], stride, dilation, k)]
    y = np.zeros([x.shape[0], *full, w.shape[0]], x.dtype)
    for tap in itertools.product(*[range(m) for m in k]):
        at = [slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, x.shape[1:-1], stride)]
        for g in range(groups):
            ci, co = x.shape[-1] // groups, w.shape[0] // groups
            y[(slice(None), *at, slice(g * co, (g + 1) * co))] += (
                x[..., g * ci:(g + 1) * ci] @ w[(slice(g * co, (g + 1) * co), *tap)].T)
    size = [n - 3 - 2 * p + m for n, p, m in zip(full, padding, more)]
    return y[(slice(None), *[slice(p, p + n) for p, n in zip(padding, size)])]


PLAIN = [  # extents, kernel, stride, padding, dilation, groups
    ([9], [3], [2], [1], [1], 1), ([8], [2], [1], [2], [3], 2), ([6, 7], [3, 2], [1, 2], [1, 0], [2, 1], 1),
    ([5, 6], [3, 3], [1, 1], [1, 1], [1, 1], 4), ([3, 4, 5], [2, 1, 3], [1, 2, 1], [1, 0, 1], [1, 1, 2], 1)]
for extents, k, s, p, d, g in PLAIN:
    rank, cin = len(extents), 3 if g == 1 else 4
    attrs = {"stride": s, "padding": p, "dilation": d, "groups": g}
    for t in TYPES if rank == 1 else [np.float32, np.float16]:
        x, w = whole([2, *extents, cin], t), whole([4, *k, cin // g], t)
        wide = np.float32 if t is np.float64 else t  # upstream convolves float64 on some paths only
        y = getattr(mx, f"conv{rank}d")(to_mlx(x.astype(wide)), to_mlx(w.astype(wide)),
                                        *[v if rank > 1 else v[0] for v in (s, p, d)], g)
        c.add(f"conv{rank}d", attrs, {"input": x, "weight": w}, [("out", from_mlx(y, t))], note="whole numbers",
              source=MLX)
        x, w = real([2, *extents, cin], t), real([4, *k, cin // g], t)
        y = correlate(x.astype(np.float64), w.astype(np.float64), s, p, p, d, [1] * rank, g, False)
        close(c, f"conv{rank}d", attrs, {"input": x, "weight": w}, [("out", y.astype(t))], "")

GENERAL = [  # extents, kernel, stride, lo, hi, kernel dilation, input dilation, groups, flip
    ([5], [3], [2], [3], [1], [1], [2], 1, True), ([4, 5], [2, 3], [1, 2], [1, 2], [0, 1], [2, 1], [1, 2], 1, False),
    ([4, 5], [2, 3], [2, 1], [2, 2], [1, 3], [1, 2], [2, 1], 2, True),
    ([2, 3, 4], [2, 2, 1], [1, 1, 2], [1, 0, 0], [0, 1, 0], [1, 1, 1], [2, 1, 1], 1, True)]
for extents, k, s, lo, hi, kd, apart, g, flip in GENERAL:
    rank, cin = len(extents), 2
    attrs = {"stride": s, "padding": lo + hi, "kernel_dilation": kd, "input_dilation": apart, "groups": g, "flip": flip}
    x, w = whole([2, *extents, cin], np.float32), whole([4, *k, cin // g], np.float32)
    y = mx.conv_general(to_mlx(x), to_mlx(w), s, (lo, hi), kd, apart, g, flip)
    c.add("conv_general", attrs, {"input": x, "weight": w}, [("out", from_mlx(y, np.float32))], source=MLX)
    for t in (np.float32, np.float64):
        x, w = real([2, *extents, cin], t), real([4, *k, cin // g], t)
        y = correlate(x.astype(np.float64), w.astype(np.float64), s, lo, hi, kd, apart, g, flip)
        close(c, "conv_general", attrs, {"input": x, "weight": w}, [("out", y.astype(t))], "")
x, w = whole([1, 6, 2], np.float32), whole([3, 2, 2], np.float32)
y = mx.conv_general(to_mlx(x), to_mlx(w), 1, ([-2], [-1]))
c.add("conv_general", {"stride": [1], "padding": [-2, -1]}, {"input": x, "weight": w},
      [("out", from_mlx(y, np.float32))], note="negative padding crops", source=MLX)

SPREAD = [  # extents, kernel, stride, padding, dilation, output padding, groups
    ([5], [3], [2], [1], [1], [1], 1), ([4], [3], [1], [0], [2], [0], 2),
    ([3, 4], [3, 2], [2, 1], [1, 0], [2, 3], [1, 0], 1), ([3, 3], [2, 2], [2, 2], [0, 0], [1, 1], [0, 1], 2),
    ([2, 3, 2], [2, 1, 3], [1, 2, 2], [0, 0, 1], [1, 1, 1], [0, 1, 0], 1),
    ([4], [1], [2], [1], [1], [0], 1)]
for extents, k, s, p, d, more, g in SPREAD:
    rank, cin = len(extents), 2
    attrs = {"stride": s, "padding": p, "dilation": d, "output_padding": more, "groups": g}
    reached = all(dd * (m - 1) >= pp for dd, m, pp in zip(d, k, p))
    x, w = whole([2, *extents, cin], np.float32), whole([4, *k, cin // g], np.float32)
    if reached:
        y = getattr(mx, f"conv_transpose{rank}d")(to_mlx(x), to_mlx(w),
                                                  *[v if rank > 1 else v[0] for v in (s, p, d, more)], g)
        c.add(f"conv_transpose{rank}d", attrs, {"input": x, "weight": w}, [("out", from_mlx(y, np.float32))],
              source=MLX)
    y = scattered(x, w, s, p, d, more, g)
    c.add(f"conv_transpose{rank}d", attrs, {"input": x, "weight": w}, [("out", y)],
          note="" if reached else "padding beyond the kernel cuts places of the output")
    for t in (np.float16,) if rank < 3 else (np.float64,):
        x, w = real([2, *extents, cin], t), real([4, *k, cin // g], t)
        y = scattered(x.astype(np.float64), w.astype(np.float64), s, p, d, more, g)
        close(c, f"conv_transpose{rank}d", attrs, {"input": x, "weight": w}, [("out", y.astype(t))], "")

for mode in ("full", "same", "valid"):
    for n, m in ((9, 4), (4, 9), (7, 7), (8, 1), (12, 5)):
        for t in (np.float32, np.float64):
            a, v = whole(n, t), whole(m, t)
            c.add("convolve", {"mode": mode}, {"a": a, "v": v}, [("out", np.convolve(a, v, mode))],
                  note="numpy.convolve")
        a, v = real(n, np.float16), real(m, np.float16)
        y = np.convolve(a.astype(np.float64), v.astype(np.float64), mode).astype(np.float16)
        close(c, "convolve", {"mode": mode}, {"a": a, "v": v}, [("out", y)], "numpy.convolve in binary64")

half = real([1, 6, 2], np.float16)
words = whole([3, 2, 2], np.int32)
y = correlate(half.astype(np.float64), words.astype(np.float64), [1], [0], [0], [1], [1], 1, False)
close(c, "conv1d", {}, {"input": half, "weight": words}, [("out", y.astype(np.float16))], "a whole weight is converted")

x, w = whole([1, 4, 2], np.float32), whole([3, 5, 2], np.float32)
c.error("conv1d", {}, {"input": x, "weight": w}, note="the kernel is longer than the input")
c.error("conv1d", {"stride": [2]}, {"input": x, "weight": w}, note="by less than the stride: upstream computes")
c.error("conv1d", {}, {"input": x, "weight": w[..., :1]}, note="other channels")
c.error("convolve", {"mode": "full"}, {"a": np.zeros(0, np.float32), "v": np.ones(2, np.float32)}, note="empty")

c.save()
