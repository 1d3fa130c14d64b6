"""Normalisations by their definitions in exact rational arithmetic, roots by mpmath at 40 digits."""

import pathlib
import platform
import sys
from fractions import Fraction

import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mp.mp.dps = 40


def moments(values, centred=True):
    """(mean, population variance), exact; about 0 if not centred."""
    values = [Fraction(float(v)) for v in values]
    m = sum(values) / len(values) if centred else Fraction(0)
    return m, sum((v - m) ** 2 for v in values) / len(values)


def number(q):
    return mp.mpf(q.numerator) / q.denominator


def normalised(x, m, v, eps, w, b):
    return float((number(Fraction(float(x)) - m)) / mp.sqrt(number(v) + mp.mpf(float(np.float32(eps)))) *
                 mp.mpf(float(w)) + mp.mpf(float(b)))


def by_column(x, statistics, eps, w, b):
    return np.array([[normalised(x[n, c], *statistics[c], eps, w[c], b[c]) for c in range(x.shape[1])]
                     for n in range(len(x))],
                    np.float64).reshape(x.shape).astype(x.dtype)


def by_row(x, centred, eps, w, b):
    rows = [moments(row, centred) for row in x]
    return np.array([[normalised(x[n, c], *rows[n], eps, w[c], b[c]) for c in range(x.shape[1])]
                     for n in range(len(x))],
                    np.float64).reshape(x.shape).astype(x.dtype)


def close(x):
    return {"compare": "close", "tol": (2**-10, 2**-11) if x.dtype == np.float16 else (2**-19, 2**-21)}


def vectors(x, weight, bias):
    ones, zeros = np.ones(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype)
    return ones if weight is None else weight, zeros if bias is None else bias


def given(named):
    return {k: v for k, v in named.items() if v is not None}


def batch(c, x, active=None, weight=None, bias=None, eps=1e-5, note="", condition=1):
    """condition: |mean| / deviation, by which an error of the mean in f32 grows"""
    n = len(x) if active is None else active
    statistics = [moments(x[:n, k]) for k in range(x.shape[1])]
    y = by_column(x, statistics, eps, *vectors(x, weight, bias))
    m, v = (np.array([float(s[k]) for s in statistics], np.float32) for k in (0, 1))
    rows = None if active is None else np.array([active], np.int32)
    tolerance = tuple(t * condition for t in close(x)["tol"])
    c.add("batch_norm", {"eps": eps}, given({"features": x, "active_rows": rows, "weight": weight, "bias": bias}),
          [("out", y), ("mean", m), ("var", v)], compare="close", tol=[tolerance, (2**-19, 2**-21), (2**-19, 2**-21)],
          note=note)


def frozen(c, x, scale, bias, mean, var, eps=1e-5, note=""):
    statistics = [(Fraction(float(m)), Fraction(float(v))) for m, v in zip(mean, var)]
    c.add("batch_norm_features", {"eps": eps}, {"features": x, "scale": scale, "bias": bias, "mean": mean, "var": var},
          [("out", by_column(x, statistics, eps, scale, bias))], note=note, **close(x))


def rows(c, op, x, scale=None, bias=None, eps=1e-5, note=""):
    centred = op == "layer_norm_features"
    c.add(op, {"eps": eps}, given({"features": x, "scale": scale, "bias": bias}),
          [("out", by_row(x, centred, eps, *vectors(x, scale, bias)))], note=note, **close(x))


def main():
    c = Corpus("norms", source=f"python {platform.python_version()}, fractions; mpmath {mp.__version__}")
    rng = np.random.default_rng(5)
    some = lambda *shape, t=np.float32: rng.standard_normal(shape).astype(t)
    for t in (np.float32, np.float16):
        batch(c, some(30, 5, t=t), weight=some(5, t=t), bias=some(5, t=t))
        batch(c, np.concatenate([some(20, 3, t=t), np.full((5, 3), 1000, t)]), active=20, note="padding is no data")
        frozen(c, some(10, 4, t=t), some(4, t=t), some(4, t=t), some(4, t=t), rng.random(4).astype(t))
        for op in ("layer_norm_features", "rms_norm_features"):
            rows(c, op, some(6, 17, t=t))
            rows(c, op, some(6, 33, t=t), scale=some(33, t=t), eps=0.1)
        rows(c, "layer_norm_features", some(6, 17, t=t), scale=some(17, t=t), bias=some(17, t=t))
    batch(c, np.full((9, 2), 17, np.float32), bias=np.array([3, -1], np.float32), note="no variance: the bias")
    batch(c, some(40, 3) + np.float32(1000), note="a mean far beyond the deviation", condition=1000)
    batch(c, np.array([[1], [2], [3], [4]], np.float32), eps=0.75, note="variance 1.25: (x - 2.5) / sqrt 2")
    rows(c, "layer_norm_features", np.array([[1, 2, 3, 4], [5, 5, 5, 5]], np.float32), eps=0.75)
    rows(c, "rms_norm_features", np.array([[3, 4], [0, 0]], np.float32), eps=12.5, note="3/5 and 4/5; zeros stay")
    rows(c, "rms_norm_features", np.array([[60000, -60000]], np.float16), note="squares beyond half precision")
    x = {"features": some(3, 2)}
    c.error("batch_norm", {"eps": 0.0}, x)
    c.error("layer_norm_features", {"eps": -1.0}, x)
    c.error("rms_norm_features", {"eps": 1e-5}, {**x, "scale": some(3)}, note="a vector of another length")
    c.error("batch_norm", {"eps": 1e-5}, {**x, "active_rows": np.array([-1], np.int32)}, error="runtime_error")
    c.error("layer_norm_features", {"eps": 1e-5}, {"features": some(6)}, note="rank 1")
    c.save()


if __name__ == "__main__":
    main()
