"""Normalisations by their definitions in exact rational arithmetic, roots by mpmath; and as MLX has them."""

import pathlib
import platform
import sys
from fractions import Fraction

import ml_dtypes
import mlx.core as mx
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mp.mp.dps = 40
TOLERANCES = {"float64": (2**-46, 2**-46), "float32": (2**-20, 2**-21), "float16": (2**-10, 2**-12),
              "bfloat16": (2**-7, 2**-9)}


def number(q):
    return mp.mpf(q.numerator) / q.denominator


def line(values, centred, eps, w, b):
    q = [Fraction(float(v)) for v in values]
    m = sum(q) / len(q) if centred else Fraction(0)
    root = mp.sqrt(number(sum((v - m)**2 for v in q) / len(q)) + mp.mpf(float(np.float32(eps))))
    return [float(number(v - m) / root * mp.mpf(float(f)) + mp.mpf(float(a))) for v, f, a in zip(q, w, b)]


def exact(c, op, x, weight=None, bias=None, out=None, eps=1e-5, note=""):
    out = out or x.dtype
    n = x.shape[-1]
    rounded = lambda v, otherwise: np.full(n, otherwise) if v is None else v.astype(out)
    y = np.array([line(row, op == "layer_norm", eps, rounded(weight, 1), rounded(bias, 0)) for row in x.reshape(-1, n)],
                 np.float64).reshape(x.shape).astype(out)
    named = {"x": x, "weight": weight, "bias": bias}
    c.add(op, {"eps": eps}, {k: v for k, v in named.items() if v is not None}, [("out", y)], compare="close",
          tol=TOLERANCES[y.dtype.name], note=note)


def to_mlx(a):
    return mx.array(a.astype(np.float32)).astype(mx.bfloat16) if a.dtype.name == "bfloat16" else mx.array(a)


def by_mlx(c, op, x, weight=None, bias=None, eps=1e-5, note=""):
    arguments = [None if a is None else to_mlx(a) for a in (weight, bias)][:2 if op == "layer_norm" else 1]
    y = getattr(mx.fast, op)(to_mlx(x), *arguments, eps)
    name = str(y.dtype).split(".")[-1]
    y = np.array(y.astype(mx.float32)).astype(getattr(ml_dtypes, name, None) or name)
    named = {"x": x, "weight": weight, "bias": bias}
    c.add(op, {"eps": eps}, {k: v for k, v in named.items() if v is not None}, [("out", y)], compare="close",
          tol=tuple(2 * t for t in TOLERANCES[name]), note=note, source=f"mlx {mx.__version__}")


def main():
    c = Corpus("normalization", source=f"python {platform.python_version()}, fractions; mpmath {mp.__version__}")
    mx.set_default_device(mx.cpu)
    rng = np.random.default_rng(15)
    some = lambda *shape, t=np.float32: rng.standard_normal(shape).astype(t)
    for t in (np.float32, np.float16, ml_dtypes.bfloat16, np.float64):
        for op in ("rms_norm", "layer_norm"):
            exact(c, op, some(2, 3, 17, t=t))
            exact(c, op, some(4, 33, t=t), some(33, t=t), eps=0.1)
        exact(c, "layer_norm", some(4, 18, t=t), some(18, t=t), some(18, t=t))
        exact(c, "layer_norm", some(4, 18, t=t), None, some(18, t=t))
    h, f = np.float16, np.float32
    exact(c, "rms_norm", some(3, 9, t=h), some(9), out=f, note="promoted")
    exact(c, "layer_norm", some(3, 9, t=h), some(9, t=h), some(9), out=f, note="a bias beside a weight promotes")
    exact(c, "layer_norm", some(3, 9, t=h), None, some(9), out=h, note="a bias alone does not")
    exact(c, "rms_norm", rng.integers(-9, 9, (3, 8)).astype(np.int32), some(8), out=f, note="whole numbers")
    exact(c, "rms_norm", np.array([[1, 2, 3, 4]], f), eps=0.0)
    exact(c, "layer_norm", np.array([[1, 3], [7, 7]], f), eps=3.0, note="-1/2, 1/2; equal values are 0")
    exact(c, "rms_norm", np.array([[60000, -60000, 3]], h), note="squares beyond half precision")
    exact(c, "layer_norm", np.array([[1e30, -1e30, 3e30]], f), eps=0.0, note="squares beyond single precision")
    exact(c, "rms_norm", np.array([[1e300, -1e300]]), eps=0.0, note="squares beyond double precision")
    by_mlx(c, "rms_norm", some(2, 5, 40), some(40))
    by_mlx(c, "layer_norm", some(2, 5, 40), some(40), some(40))
    by_mlx(c, "layer_norm", some(2, 5, t=h), None, some(5), note="a bias alone does not promote")
    by_mlx(c, "rms_norm", np.zeros((2, 4), f), some(4), note="zeros stay")
    by_mlx(c, "rms_norm", np.zeros((2, 4), f), eps=0.0, note="without eps they are undefined")
    by_mlx(c, "layer_norm", np.full((2, 4), 3, f), eps=0.0, note="so are equal values")
    x = {"x": some(3, 4)}
    c.error("rms_norm", {"eps": 1e-5}, {**x, "weight": some(5)}, note="a weight of another length")
    c.error("layer_norm", {"eps": 1e-5}, {**x, "weight": some(2, 4)}, note="a weight that is no vector")
    c.error("rms_norm", {"eps": 1e-5}, {"x": np.ones((2, 3), np.int32)}, note="whole numbers alone")
    c.error("layer_norm", {"eps": 1e-5}, {"x": np.ones((2, 3), np.int32), "bias": some(3)},
            note="whole numbers and a bias, which does not promote")
    c.error("layer_norm", {"eps": 1e-5}, {"x": np.float32(1)}, note="a scalar has no line")
    c.save()


if __name__ == "__main__":
    main()
