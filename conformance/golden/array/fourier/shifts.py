"""Recorded orders of bins and their frequencies: NumPy, cross-checked with SciPy, and MLX for an axis named twice.

    python3 conformance/golden/array/fourier/shifts.py     (numpy, scipy, mlx)
"""

import pathlib
import sys

import mlx.core as mx
import numpy as np
import scipy.fft

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

corpus = Corpus("shifts", source=f"numpy {np.__version__}, scipy {scipy.__version__}")
rng = np.random.default_rng(20261130)


def shift(op, a, axes=None, note=""):
    y = getattr(np.fft, op)(a, axes)
    assert np.array_equal(y, getattr(scipy.fft, op)(a, axes))
    corpus.add(op, {"axes": axes}, {"a": a}, [("out", y)], note=note)


def frequencies(op, n, d, note=""):
    """k / (n d) in binary64, rounded once."""
    y = getattr(np.fft, op)(n, d)
    assert np.allclose(y, getattr(scipy.fft, op)(n, d), rtol=1e-15, atol=0)
    k = np.arange(n // 2 + 1) if op == "rfftfreq" else np.r_[np.arange((n + 1) // 2), np.arange(-(n // 2), 0)]
    assert np.allclose(y, k / (n * d), rtol=1e-15, atol=0)
    corpus.add(op, {"n": n, "d": d}, {}, [("out", y.astype(np.float32))], compare="close", tol=(2e-7, 1e-45), note=note)


for op in ("fftshift", "ifftshift"):
    for n in (1, 2, 5, 8):
        shift(op, rng.integers(-99, 99, n).astype(np.int16), note=f"{n} bins")
    shift(op, rng.uniform(-1, 1, (3, 4, 5)).astype(np.float32), note="all axes")
    shift(op, rng.uniform(-1, 1, (3, 4, 5)).astype(np.float16), axes=[1], note="one axis")
    shift(op, rng.uniform(-1, 1, (7, 6)), axes=[-1, 0], note="from the end")
    shift(op, (rng.uniform(-1, 1, (2, 9)) + 1j).astype(np.complex64), axes=[1], note="complex numbers")
    shift(op, rng.integers(0, 2, (5, 3)).astype(bool), axes=[0], note="truths")
    shift(op, np.zeros((0, 3), np.float32), note="nothing")
    scalar = np.array(getattr(mx.fft, op)(mx.array(3.0)))
    corpus.add(op, {"axes": None}, {"a": np.float32(3)}, [("out", scalar)], note="a scalar",
               source=f"mlx {mx.__version__} cpu")
    a = rng.integers(0, 99, (5, 7)).astype(np.uint8)
    twice = np.array(getattr(mx.fft, op)(mx.array(a), axes=[1, 0, 1]))
    assert np.array_equal(twice, getattr(np.fft, op)(getattr(np.fft, op)(a), [1]))
    corpus.add(op, {"axes": [1, 0, 1]}, {"a": a}, [("out", twice)], note="an axis that is named twice",
               source=f"mlx {mx.__version__} cpu")
    corpus.error(op, {"axes": [2]}, {"a": a}, error="out_of_range", note="no such axis")
    corpus.error(op, {"axes": [-3]}, {"a": a}, error="out_of_range", note="before the first axis")

for op in ("fftfreq", "rfftfreq"):
    for n, d in ((1, 1.0), (2, 0.5), (5, 0.1), (8, -0.25), (9, 3.0), (10, 1e-30), (11, 3e40)):
        frequencies(op, n, d, note=f"{n} bins, spaced {d}")
    corpus.error(op, {"n": 0, "d": 1.0}, {}, note="no bins")
    corpus.error(op, {"n": -2, "d": 1.0}, {}, note="fewer than none")
    corpus.error(op, {"n": 4, "d": 0.0}, {}, note="no spacing")
corpus.save()
