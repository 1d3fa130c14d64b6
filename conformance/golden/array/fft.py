"""Recorded transforms: NumPy in binary64, cross-checked with SciPy, and MLX for its conventions.

    python3 conformance/golden/array/fft.py     (numpy, scipy, mlx, ml_dtypes)
"""

import pathlib
import sys

import numpy as np
import scipy.fft

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

SEED = 20261121
corpus = Corpus("fft", source=f"numpy {np.__version__} in binary64")
rng = np.random.default_rng(SEED)


def draw(op, shape):
    """Uniform input of the kind that the transform is given."""
    x = rng.uniform(-1, 1, shape).astype(np.float32)
    if op == "rfft":
        return x
    return (x + 1j * rng.uniform(-1, 1, shape)).astype(np.complex64)


def want(op, a, n, axis, norm):
    """The transform in binary64, agreed on by two libraries, rounded once."""
    wide = np.asarray(a, np.complex128)
    if op == "rfft":
        wide = wide.real
    if op == "irfft":
        wide = np.moveaxis(wide.copy(), axis, -1)
        length = n if n is not None else 2 * (wide.shape[-1] - 1)
        wide[..., 0].imag = 0  # bins 0 and n / 2 count by their real parts
        if length % 2 == 0 and length // 2 < wide.shape[-1]:
            wide[..., length // 2].imag = 0
        wide = np.moveaxis(wide, -1, axis)
    y = getattr(np.fft, op)(wide, n, axis, norm)
    z = getattr(scipy.fft, op)(wide, n, axis, norm)
    assert np.allclose(y, z, rtol=1e-13, atol=1e-13 * max(1e-300, np.abs(y).max(initial=0)))
    return y.astype(np.float32 if op == "irfft" else np.complex64)


def add(op, a, n=None, axis=-1, norm="backward", note=""):
    y = want(op, a, n, axis, norm)
    tol = (1e-6, 1.5e-6 * float(np.abs(y).max(initial=0)))
    corpus.add(op, {"n": n, "axis": axis, "norm": norm}, {"a": a}, [("out", y)], compare="close", tol=tol, note=note)


def add_mlx(op, a, n, note):
    """What MLX answers, for conventions that libraries do not share."""
    import mlx.core as mx

    y = np.array(getattr(mx.fft, op)(mx.array(a), n, -1, stream=mx.cpu))
    corpus.add(op, {"n": n, "axis": -1, "norm": "backward"}, {"a": a}, [("out", y)], compare="close",
               tol=(2e-6, 2e-6 * float(np.abs(y).max())), note=note, source=f"mlx {mx.__version__} cpu")


for op in ("fft", "ifft", "rfft", "irfft"):
    for n in (1, 2, 8, 15, 17, 49, 128, 202, 360):
        size = n // 2 + 1 if op == "irfft" else n
        add(op, draw(op, (2, size)), n=n, note=f"length {n}")
    add(op, draw(op, (3, 10)), n=7, note="cut")
    add(op, draw(op, (3, 10)), n=23, note="padded with zeros at the end")
    add(op, draw(op, (6, 5, 2)), axis=0, norm="ortho", note="first axis")
    add(op, draw(op, (2, 9, 3)), axis=-2, norm="forward", note="middle axis")
    a = draw(op, (4, 6)).astype(np.float16 if op == "rfft" else np.complex64)
    add(op, np.asfortranarray(a), note="half input" if op == "rfft" else "")
    add(op, rng.integers(-9, 9, (2, 12)).astype(np.int16), note="integer input")
    corpus.add(op, {"n": None, "axis": -1, "norm": "backward"}, {"a": draw(op, (0, 6))},
               [("out", want(op, draw(op, (0, 6)), None, -1, "backward"))], note="no lines")
    corpus.error(op, {"n": 0, "axis": -1, "norm": "backward"}, {"a": draw(op, (2, 4))}, note="no terms")
    corpus.error(op, {"n": None, "axis": 2, "norm": "backward"}, {"a": draw(op, (2, 4))}, error="out_of_range",
                 note="no such axis")
    corpus.error(op, {"n": None, "axis": -1, "norm": "unitary"}, {"a": draw(op, (2, 4))}, note="no such norm")

impulse = np.zeros((1, 1511), np.complex64)
impulse[0, 1499] = 1
spectrum = np.exp(-2j * np.pi * (1499 * np.arange(1511, dtype=np.int64) % 1511) / 1511)
corpus.add("fft", {"n": None, "axis": -1, "norm": "backward"}, {"a": impulse},
           [("out", spectrum.astype(np.complex64)[None])], compare="close", tol=(0, 5e-6), note="impulse, prime length",
           source="closed form")
add_mlx("irfft", np.array([[4 + 9j, 0, 9j]], np.complex64), None, "imaginary parts of bins 0 and n / 2 are ignored")
add_mlx("rfft", np.array([[1 + 5j, 2 - 3j, 3 + 1j]], np.complex64), None, "imaginary parts of the input are dropped")
poisoned = draw("fft", (2, 6))
poisoned[1, 3] = np.nan + 1j * np.nan
corpus.add("fft", {"n": None, "axis": -1, "norm": "backward"}, {"a": poisoned},
           [("out", np.stack([want("fft", poisoned[0], None, -1, "backward"),
                              np.full(6, np.nan + 1j * np.nan, np.complex64)]))],
           compare="close", tol=(1e-6, 1e-5), note="a NaN poisons its own transform only")
corpus.save()
