"""Recorded products with quantized matrices that indices choose: NumPy in binary64 over weights that MLX decodes.

    python3 conformance/golden/quant/gather_qmm.py     (numpy, mlx)

Each result is held against mx.gather_qmm on the processor, which gives the same up to rounding. Scales and biases are
binary fractions of few bits, so that a decoded weight is exact.
"""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

SOURCE = f"numpy {np.__version__} in binary64, weights decoded by mlx {mx.__version__}"
corpus = Corpus("gather_qmm", source=SOURCE)
rng = np.random.default_rng(20261130)
mx.set_default_device(mx.cpu)
F32 = np.float32


def weight(batch, rows, columns, group, bits, mode):
    out = {"w_q": rng.integers(0, 2**32, (*batch, rows, columns * bits // 32), dtype=np.uint32)}
    shape = (*batch, rows, columns // group)
    if mode != "affine":
        low, high = (0x28, 0x40) if mode == "nvfp4" else (124, 131)
        out["scales"] = rng.integers(low, high, shape).astype(np.uint8)
        return out
    out["scales"] = (rng.integers(-8, 9, shape) / 8).astype(F32)
    out["biases"] = (rng.integers(-24, 25, shape) / 8).astype(F32)
    return out


def chosen(indices, batch):
    every = np.arange(int(np.prod(batch, dtype=np.int64))).reshape(batch)
    return every if indices is None else np.asarray(indices).astype(np.int64)


def multiply(x, w, lhs, rhs, transpose, group, bits, mode="affine", sorted_indices=False, note="", integers=False):
    arrays = [mx.array(w[k]) if k in w else None for k in ("w_q", "scales", "biases")]
    dense = np.array(mx.dequantize(*arrays, group, bits, mode, dtype=mx.float32)).astype(np.float64)
    dense = np.swapaxes(dense, -1, -2) if transpose else dense
    l, r = np.broadcast_arrays(chosen(lhs, x.shape[:-2]), chosen(rhs, dense.shape[:-2]))
    flat_x = x.astype(np.float64).reshape(-1, *x.shape[-2:])
    flat_w = dense.reshape(-1, *dense.shape[-2:])
    y = flat_x[l] @ flat_w[r]
    given = mx.gather_qmm(mx.array(x), *arrays, None if lhs is None else mx.array(lhs),
                          None if rhs is None else mx.array(rhs), transpose, group, bits, mode,
                          sorted_indices=sorted_indices)
    scale = np.nanmax(np.abs(y))
    assert np.allclose(np.array(given), y, rtol=1e-4, atol=1e-4 * scale, equal_nan=True)
    inputs = {"x": x, **w}
    if lhs is not None:
        inputs["lhs_indices"] = lhs
    if rhs is not None:
        inputs["rhs_indices"] = rhs
    attrs = {"transpose": transpose, "group_size": group, "bits": bits, "mode": mode,
             "sorted_indices": sorted_indices}
    close = {} if integers else {"compare": "close", "tol": (1e-5, 2e-6 * scale)}
    corpus.add("gather_qmm", attrs, inputs, [("out", y.astype(F32))], note=note, **close)


def uniform(*shape):
    return rng.uniform(-1, 1, shape).astype(F32)


def whole(*shape):
    return rng.integers(-3, 4, shape).astype(F32)


def index(n, *shape, dtype=np.uint32):
    return rng.integers(0, n, shape).astype(dtype)


for n, bits in enumerate((2, 3, 4, 5, 6, 8)):
    group = (32, 64)[n % 2]
    multiply(whole(4, 1 + n, 64), weight((3,), 5, 64, group, bits, "affine"), index(4, 6), index(3, 6), True, group,
             bits, integers=True, note="eighths: exact in any order")
    multiply(uniform(4, 2, 7), weight((3,), 7, 64, group, bits, "affine"), index(4, 5), index(3, 5), False, group, bits)
multiply(uniform(6, 1, 32), weight((3,), 4, 32, 32, 4, "affine"), None, np.array([0, 0, 1, 2, 2, 2], np.uint32), True,
         32, 4, sorted_indices=True, note="sorted right indices, each matrix of x once")
multiply(uniform(2, 3, 2, 32), weight((5,), 4, 32, 32, 4, "affine"), index(6, 5, dtype=np.int32), None, True, 32, 4,
         note="left indices over two axes of batch, each weight once")
multiply(uniform(4, 2, 32), weight((2, 3), 4, 32, 32, 4, "affine"), index(4, 2, 1), index(6, 3, dtype=np.int64), True,
         32, 4, note="indices broadcast; right ones over two axes of batch")
multiply(uniform(2, 3, 32), weight((2,), 4, 32, 32, 4, "affine"), None, None, True, 32, 4, note="no indices")
for mode in ("mxfp4", "mxfp8", "nvfp4"):
    group, bits = (16 if mode == "nvfp4" else 32), (8 if mode == "mxfp8" else 4)
    multiply(uniform(4, 3, 64), weight((3,), 5, 64, group, bits, mode), index(4, 6), index(3, 6), True, group, bits,
             mode)
    multiply(uniform(4, 1, 5), weight((3,), 5, 64, group, bits, mode), index(4, 6), index(3, 6), False, group, bits,
             mode)
good = weight((3,), 5, 64, 32, 4, "affine")
for inputs, note in (
    ({"lhs_indices": uniform(2), "rhs_indices": index(3, 2)}, "float indices"),
    ({"lhs_indices": index(4, 2), "rhs_indices": index(3, 3)}, "indices do not broadcast"),
):
    corpus.error("gather_qmm", {"transpose": True, "group_size": 32, "bits": 4, "mode": "affine",
                                "sorted_indices": False}, {"x": uniform(4, 2, 64), **good, **inputs}, note=note)
corpus.save()
