"""Feature matrices: products in exact integers and binary64, activations by mpmath at 40 digits, dropout by Threefry in
plain integers, checked against the known answers of Random123."""

import pathlib
import platform
import sys

import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mp.mp.dps = 40
MASK = 0xFFFFFFFF


def linear(c, x, w, bias=None, note=""):
    inputs = {"features": x, "weight": w}
    y = x.astype(np.float64) @ w.astype(np.float64).T
    t = x.dtype
    if bias is not None:
        inputs["bias"] = bias
        y = y + bias.astype(np.float64)
        t = np.promote_types(t, bias.dtype)
    whole = all(np.array_equal(v, np.rint(v)) for v in inputs.values())
    tolerance = (2**-10, 2**-12) if t == np.float16 else (2**-18, 2**-19)
    kind = {} if whole else {"compare": "close", "tol": tolerance}
    c.add("linear", {}, inputs, [("out", y.astype(t))], note=note, **kind)


def sigmoid(w):
    return 1 / (1 + mp.exp(-w))


def exact(kind, approximate, alpha, beta, threshold, x):
    """The function at 40 digits; infinities by their products."""
    v = mp.mpf(float(x))
    if mp.isnan(v):
        return mp.nan
    if kind == "relu":
        return max(v, mp.mpf(0))
    if kind == "sigmoid":
        return mp.mpf(int(v > 0)) if mp.isinf(v) else sigmoid(v)
    if kind == "tanh":
        return mp.sign(v) if mp.isinf(v) else mp.tanh(v)
    if kind == "leaky_relu":
        return v if v >= 0 else mp.mpf(alpha) * v
    if kind == "softplus":
        if v > mp.mpf(threshold) / mp.mpf(beta):
            return v
        return mp.mpf(0) if mp.isinf(v) else mp.log1p(mp.exp(mp.mpf(beta) * v)) / mp.mpf(beta)
    if mp.isinf(v):
        return v if v > 0 else mp.nan
    if kind == "silu":
        return v * sigmoid(v)
    if approximate == "tanh":
        return v / 2 * (1 + mp.tanh(mp.mpf(0.7978845608028654) * (v + mp.mpf(0.044715) * v**3)))
    if approximate == "fast":
        return v * sigmoid(mp.mpf(1.702) * v)
    return v / 2 * mp.erfc(-v / mp.sqrt(2))


def activation(c, x, kind, approximate="none", alpha=0.01, beta=1.0, threshold=20.0, note=""):
    with np.errstate(over="ignore"):
        y = np.array([float(exact(kind, approximate, alpha, beta, threshold, v))
                      for v in x.ravel()]).reshape(x.shape).astype(x.dtype)
    tolerance = (2**-10, 2**-24) if x.dtype == np.float16 else (2**-17, 2**-60)
    c.add("activation",
          {"kind": kind, "approximate": approximate, "alpha": alpha, "beta": beta, "threshold": threshold},
          {"features": x}, [("out", y)], compare="close", tol=tolerance, note=note)


def threefry(key, counter):
    k = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA]
    x = [(counter[0] + k[0]) & MASK, (counter[1] + k[1]) & MASK]
    for r in range(20):
        turn = [13, 15, 26, 6, 17, 29, 16, 24][r % 8]
        x[0] = (x[0] + x[1]) & MASK
        x[1] = ((x[1] << turn | x[1] >> (32 - turn)) & MASK) ^ x[0]
        if r % 4 == 3:
            s = r // 4 + 1
            x = [(x[0] + k[s % 3]) & MASK, (x[1] + k[(s + 1) % 3] + s) & MASK]
    return x


assert threefry([0, 0], [0, 0]) == [0x6B200159, 0x99BA4EFE]
assert threefry([MASK, MASK], [MASK, MASK]) == [0x1CB996FC, 0xBB002BE7]
assert threefry([0x13198A2E, 0x03707344], [0x243F6A88, 0x85A308D3]) == [0xC4923A9C, 0x483DF7A0]


def words(key, n):
    half, odd = n // 2, n % 2
    w = [0] * n
    for i in range(half):
        w[i], w[i + half + odd] = threefry(key, [i, i + half + odd])
    if odd:
        w[half] = threefry(key, [half, 0])[0]
    return w


def dropout(c, x, key, p, training=True, note=""):
    y = x
    if training and p > 0:
        keep = np.array([w >= p * 2**32 for w in words(key, x.size)], bool).reshape(x.shape)
        with np.errstate(all="ignore"):
            y = np.where(keep, x * x.dtype.type(1 / (1 - p)), x.dtype.type(0))
    c.add("dropout", {"p": p, "training": training}, {"features": x, "key": np.array(key, np.uint32)}, [("out", y)],
          note=note)


def main():
    c = Corpus("features",
               source=f"python {platform.python_version()}; mpmath {mp.__version__}; numpy {np.__version__}")
    rng = np.random.default_rng(3)
    some = lambda *shape, t=np.float32: rng.standard_normal(shape).astype(t)
    whole = lambda *shape, t=np.float32: rng.integers(-4, 5, shape).astype(t)
    linear(c, whole(5, 3), whole(4, 3), whole(4))
    linear(c, whole(7, 20, t=np.float16), whole(6, 20, t=np.float16), whole(6, t=np.float16))
    linear(c, whole(7, 20, t=np.float16), whole(6, 20, t=np.float16), whole(6) * 4096 + 1,
           note="a bias of f32 is not rounded to f16")
    linear(c, some(20, 33), some(17, 33), some(17))
    linear(c, some(20, 33, t=np.float16), some(17, 33, t=np.float16))
    linear(c, np.ones((2, 4096), np.float16), np.ones((1, 4096), np.float16), note="beyond what a half accumulates")
    linear(c, whole(0, 3), whole(4, 3), note="no rows")
    linear(c, whole(3, 0), whole(4, 0), whole(4), note="no channels: the bias")
    points = [0.0, 1e-30, -1e-30, 1e-4, -1e-4, 0.03, -0.03, 0.5, -0.5, 1, -1, 3, -3, 5.5, -5.5, 9, -9, 13, -13, 20,
              -20, 60, -60, 100,
              -100, 1e6, -1e6, np.inf, -np.inf, np.nan]
    near = np.concatenate([points, rng.uniform(-8, 8, 34)]).astype(np.float32).reshape(8, 8)
    half = np.clip(near, -6e4, 6e4).astype(np.float16)
    for kind in ("relu", "sigmoid", "tanh", "silu", "leaky_relu", "softplus"):
        activation(c, near, kind)
        activation(c, half, kind)
    for way in ("none", "precise", "tanh", "fast"):
        activation(c, near if way != "precise" else half, "gelu", way)
    activation(c, near, "leaky_relu", alpha=-0.25)
    activation(c, near, "softplus", beta=0.25, threshold=2.0)
    activation(c, np.linspace(10, 21, 45).astype(np.float16).reshape(9, 5), "softplus",
               note="no overflow below the threshold")
    activation(c, np.array([[20, np.nextafter(np.float32(20), np.float32(21))]], np.float32), "softplus",
               note="the threshold itself")
    for t in (np.float32, np.float16):
        dropout(c, some(6, 7, t=t), [1, 2], 0.5)
        dropout(c, some(5, 9, t=t), [0xDEADBEEF, 7], 0.1, note="an odd number of elements")
        dropout(c, np.array([[np.nan, np.inf, -np.inf, -0.0] * 4], t), [3, 4], 0.5,
                note="what is dropped is 0, whatever it was")
    dropout(c, some(3, 3), [5, 6], 0.5, training=False)
    dropout(c, some(3, 3), [5, 6], 0.0)
    good = {"features": some(3, 3), "key": np.array([1, 2], np.uint32)}
    c.error("dropout", {"p": 1.0, "training": True}, good, note="nothing would be kept")
    c.error("dropout", {"p": -0.5, "training": True}, good)
    attrs = {"kind": "relu", "approximate": "none", "alpha": 0.01, "beta": 1.0, "threshold": 20.0}
    c.error("activation", {**attrs, "kind": "swish"}, {"features": some(2, 2)})
    c.error("activation", {**attrs, "approximate": "erf"}, {"features": some(2, 2)})
    c.error("activation", {**attrs, "kind": "softplus", "beta": 0.0}, {"features": some(2, 2)})
    c.error("activation", attrs, {"features": some(2, 2, 2)}, note="rank 3")
    c.error("linear", {}, {"features": some(2, 3), "weight": some(4, 2)}, note="channels differ")
    c.error("linear", {}, {"features": some(2, 3), "weight": some(4, 3), "bias": some(3)},
            note="a bias of another length")
    c.save()


if __name__ == "__main__":
    main()
