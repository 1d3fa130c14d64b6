"""Recorded transforms of several axes: SciPy in binary64, cross-checked with NumPy, and MLX for its conventions.

    python3 conformance/golden/array/fourier/fftn.py     (numpy, scipy, mlx, ml_dtypes)
"""

import pathlib
import sys

import mlx.core as mx
import numpy as np
import scipy.fft

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

corpus = Corpus("fftn", source=f"scipy {scipy.__version__} in binary64")
rng = np.random.default_rng(20261130)
MANY, TWO = ("fftn", "ifftn", "rfftn", "irfftn"), ("fft2", "ifft2", "rfft2", "irfft2")


def draw(op, shape):
    x = rng.uniform(-1, 1, shape).astype(np.float32)
    return x if op[0] == "r" else (x + 1j * rng.uniform(-1, 1, shape)).astype(np.complex64)


def inverse_real(a, s, axes, norm):
    """Complex inverses over the other axes, then the real parts that the definition of the last one takes."""
    n = s if s is not None else [a.shape[d] for d in axes[:-1]] + [2 * (a.shape[axes[-1]] - 1)]
    y = scipy.fft.ifftn(a, n[:-1], axes[:-1], norm) if len(axes) > 1 else a
    y = np.moveaxis(y.copy(), axes[-1], -1)
    y[..., 0].imag = 0
    if n[-1] % 2 == 0 and n[-1] // 2 < y.shape[-1]:
        y[..., n[-1] // 2].imag = 0
    return np.moveaxis(scipy.fft.irfft(y, n[-1], -1, norm), -1, axes[-1])


def want(op, a, s, axes, norm):
    if axes is None:
        axes = range(a.ndim - 2, a.ndim) if op[-1] == "2" else range(a.ndim)
    axes = list(axes)
    wide = np.asarray(a, np.complex128)
    if op[:2] == "ir":
        return inverse_real(wide, s, axes, norm).astype(np.float32)
    if op[0] == "r":
        wide = wide.real
    name = op[:-1] + "n"
    y = getattr(scipy.fft, name)(wide, s, axes, norm)
    z = getattr(np.fft, name)(wide, s, axes, norm)
    assert np.allclose(y, z, rtol=1e-13, atol=1e-13 * max(1e-300, np.abs(y).max(initial=0)))
    return y.astype(np.complex64)


def add(op, a, s=None, axes=None, norm="backward", note=""):
    y = want(op, a, s, axes, norm)
    attrs = {"s": s, "axes": axes, "norm": norm}
    if y.size:
        like = {"norm": norm} | ({"axes": axes} if axes is not None else {}) | ({"s": s} if s is not None else {})
        theirs = np.array(getattr(mx.fft, op)(mx.array(a), stream=mx.cpu, **like))
        assert np.allclose(y, theirs, rtol=1e-5, atol=1e-5 * np.abs(y).max()), (op, note)
    tol = (1e-6, 2e-6 * float(np.abs(y).max(initial=0)))
    corpus.add(op, attrs, {"a": a}, [("out", y)], compare="close", tol=tol, note=note)


def consistent(shape, axes):
    """A half spectrum that real samples have."""
    return scipy.fft.rfftn(rng.uniform(-1, 1, shape), axes=axes).astype(np.complex64)


for op in MANY + TWO:
    half = op[:2] == "ir"
    make = (lambda shape, axes: consistent(shape, axes)) if half else (lambda shape, axes: draw(op, shape))
    add(op, make((3, 4), (0, 1)), note="two axes")
    add(op, make((2, 5, 6), None if op in MANY else (1, 2)), note="all axes" if op in MANY else "a batch")
    add(op, make((4, 3, 6), (0, 2)), axes=[0, 2], norm="ortho", note="axes that another lies between")
    add(op, make((4, 6, 3), (0, 1)), axes=[0, 1], norm="forward", note="the last axis stays")
    add(op, make((6, 4), (1, 0)), axes=[1, 0], note="the half axis is the last one named")
    add(op, draw(op, (5, 4)), s=[4, 5] if half else [3, 7], axes=[-2, -1], note="one axis cut, one padded")
    corpus.add(op, {"s": None, "axes": [1, 2], "norm": "backward"}, {"a": draw(op, (0, 3, 4))},
               [("out", want(op, draw(op, (0, 3, 4)), None, [1, 2], "backward"))], note="no blocks")
    a = draw(op, (4, 3))
    corpus.error(op, {"s": [4, 0], "axes": [0, 1], "norm": "backward"}, {"a": a}, note="no terms")
    corpus.error(op, {"s": [4], "axes": [0, 1], "norm": "backward"}, {"a": a}, note="one length for two axes")
    corpus.error(op, {"s": None, "axes": [0, 0], "norm": "backward"}, {"a": a}, note="one axis twice")
    corpus.error(op, {"s": None, "axes": [0, 2], "norm": "backward"}, {"a": a}, error="out_of_range",
                 note="no such axis")
    corpus.error(op, {"s": None, "axes": None, "norm": "unitary"}, {"a": a}, note="no such norm")
    corpus.error(op, {"s": None, "axes": [0, 1], "norm": "backward"}, {"a": draw(op, (0, 4))}, note="an empty axis")

for op in MANY:
    add(op, draw(op, (7,)), s=[7], axes=[0], norm="ortho", note="one axis")
    add(op, consistent((3, 2, 5, 8), (0, 1, 3)) if op[0] == "i" else draw(op, (3, 2, 5, 8)), axes=[0, 1, 3],
        note="neighbours and one apart")
add("fftn", rng.integers(-9, 9, (3, 5)).astype(np.int16), note="integer input")
add("rfftn", rng.uniform(-1, 1, (3, 5)).astype(np.float16), note="half input")
add("fft2", rng.uniform(-1, 1, (2, 33, 16)).astype(np.float32), note="real input")
add("irfftn", draw("irfftn", (3, 10)), s=[3, 1], axes=[0, 1], note="one sample: the real part of bin 0")
poisoned = draw("fftn", (2, 3, 4))
poisoned[1, 2, 0] = np.nan
y = want("fftn", poisoned[0], None, [0, 1], "backward")
corpus.add("fftn", {"s": None, "axes": [1, 2], "norm": "backward"}, {"a": poisoned},
           [("out", np.stack([y, np.full((3, 4), np.nan + 1j * np.nan, np.complex64)]))], compare="close",
           tol=(1e-6, 1e-5), note="a NaN poisons its own block only")
corpus.save()
