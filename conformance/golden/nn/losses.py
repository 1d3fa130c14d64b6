"""Recorded losses: the definitions in mpmath, with attributes as numbers of the type, rounded once; what is exact and
what is not finite by MLX's own losses (pip install 'mlx[cpu]' numpy ml_dtypes mpmath)."""

import itertools
import pathlib
import sys

import mlx.core as mx
import mlx.nn as nn
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from scalars import array, numbers, rounded, value  # noqa: E402

mx.set_default_device(mx.cpu)
mp.mp.dps = 60
c = Corpus("losses", source=f"mpmath {mp.__version__}")
rng = np.random.default_rng(14)
HOW = itertools.cycle(["none", "mean", "none", "sum", "none"])
TYPES = ["float16", "bfloat16", "float32", "float64"]


def exact(a):
    """An array of mpmath's numbers, or of integers."""
    if np.asarray(a).dtype.kind in "iu":
        return np.asarray(a)
    return np.array([mp.mpf(float(v)) for v in a.reshape(-1)], dtype=object).reshape(a.shape)


def each(f, *a):
    return np.array([f(*v) for v in zip(*(x.reshape(-1) for x in a))], dtype=object).reshape(a[0].shape)


def lines(f, axis, *a):
    """f of the lines of each input along an axis."""
    moved = [np.moveaxis(x, axis, -1) for x in a]
    shape = moved[0].shape[:-1]
    out = [f(*(list(m[i]) for m in moved)) for i in np.ndindex(*shape)]
    return np.array(out, dtype=object).reshape(shape)


def reduced(l, how):
    flat = list(l.reshape(-1))
    if how == "none":
        return l
    total = mp.fsum(flat)
    return np.array(total / len(flat) if how == "mean" else total, dtype=object)


def add(op, name, attrs, inputs, l, note=""):
    """A case with the next reduction, within what the row derives; of f64 the reference may miss the last bits."""
    how = next(HOW)
    out = reduced(l, how)
    y = rounded(name, list(out.reshape(-1))).reshape(out.shape)
    tol = (1e-14, 1e-14) if name == "float64" else (0, 0)
    c.add(op, {**attrs, "reduction": how}, inputs, [("out", y)], compare="invariant", check="bound", tol=tol, note=note)


def of_type(name, attrs):
    return {k: mp.mpf(float(numbers(name, v))) if isinstance(v, float) else v for k, v in attrs.items()}


def smooth_l1(x, t, beta):
    d = abs(x - t)
    return d * d / (2 * beta) if d < beta else d - beta / 2


def huber(x, t, delta):
    q = min(abs(x - t), delta)
    return q * q / 2 + delta * (abs(x - t) - q)


def logarithm(x):
    return max(mp.log(x), mp.mpf(-100)) if x > 0 else mp.mpf(-100)


def of_probability(x, t):
    return -(t * logarithm(x) + (1 - t) * logarithm(1 - x))


def gaussian(x, t, v, full, eps):
    v = max(v, eps)
    return (mp.log(v) + (t - x) ** 2 / v) / 2 + full


PAIRS = {
    "l1_loss": (lambda x, t: abs(x - t), [{}]),
    "mse_loss": (lambda x, t: (x - t) ** 2, [{}]),
    "smooth_l1_loss": (smooth_l1, [{"beta": 1.0}, {"beta": 0.25}]),
    "huber_loss": (huber, [{"delta": 1.0}, {"delta": 0.25}]),
    "hinge_loss": (lambda x, t: max(1 - x * t, mp.mpf(0)), [{}]),
}
SHAPE = (3, 4)
for n in TYPES:
    x, t = (numbers(n, 2 * rng.standard_normal(SHAPE)) for _ in range(2))
    signs = numbers(n, rng.choice([-1, 1], SHAPE))
    whole = rng.choice([-1, 1], SHAPE).astype(np.int32)
    for op, (f, many) in PAIRS.items():
        for attrs in many:
            a = of_type(n, attrs)
            for targets in (signs, whole) if op == "hinge_loss" else (t, whole):
                add(op, n, attrs, {"x": x, "t": targets},
                    each(lambda p, q: f(p, mp.mpf(int(q)) if isinstance(q, (int, np.integer)) else q, **a), exact(x),
                         exact(targets)))
    log2 = of_type(n, {"log2": float(mp.log(2))})["log2"]  # as MLX has it
    add("log_cosh_loss", n, {}, {"x": x, "t": t},
        each(lambda p, q: mp.log(2 * mp.cosh(p - q)) - log2, exact(x), exact(t)))
    add("log_cosh_loss", n, {}, {"x": 3 * x, "t": t},
        each(lambda p, q: mp.log(2 * mp.cosh(p - q)) - log2, exact(3 * x), exact(t)))
    other = numbers(n, rng.standard_normal(SHAPE))
    for margin in (0.0, 0.5, -0.25):
        add("margin_ranking_loss", n, {"margin": margin}, {"x1": x, "x2": other, "t": signs},
            each(lambda p, q, y: max(-y * (p - q) + mp.mpf(margin), mp.mpf(0)), exact(x), exact(other), exact(signs)))
    probability, target = (numbers(n, rng.uniform(0.05, 0.95, SHAPE)) for _ in range(2))
    sure = numbers(n, [[0, 1, 0.5, 0], [1, 0.25, 1, 0], [0, 0, 1, 1]])
    weight = numbers(n, rng.uniform(0.1, 3, SHAPE))
    for logits, first, second in [(True, x, target), (False, probability, target), (False, sure, target)]:
        f = (lambda p, q: mp.log1p(mp.exp(p)) - p * q) if logits else of_probability
        l = each(f, exact(first), exact(second))
        add("binary_cross_entropy", n, {"with_logits": logits}, {"x": first, "t": second}, l)
        add("binary_cross_entropy", n, {"with_logits": logits}, {"x": first, "t": second, "weights": weight},
            l * exact(weight), note="the mean divides by the elements")
    spread = numbers(n, rng.uniform(0, 2, SHAPE))
    for full, eps in [(False, 1e-6), (True, 1e-6), (True, 0.5)]:
        a = of_type(n, {"eps": eps, "full": float(mp.log(2 * mp.pi) / 2) if full else 0.0})  # as MLX has it
        add("gaussian_nll_loss", n, {"full": full, "eps": eps}, {"x": x, "t": t, "vars": spread},
            each(lambda p, q, v: gaussian(p, q, v, a["full"], a["eps"]), exact(x), exact(t), exact(spread)))


def distance(a, b, p, eps):
    return (mp.fsum(abs(u - v) ** p for u, v in zip(a, b)) + eps) ** (1 / mp.mpf(p))


def cosine(a, b, eps):
    norms = [mp.sqrt(mp.fsum(v * v for v in x)) for x in (a, b)]
    return mp.fsum(u * v for u, v in zip(a, b)) / max(norms[0] * norms[1], eps)


for n in TYPES:
    for shape, axis in [((3, 4), 1), ((3, 4), 0), ((2, 3, 4), -1), ((2, 3, 4), 1)]:
        x, y, w = (numbers(n, rng.standard_normal(shape)) for _ in range(3))
        ex, ey, ew = exact(x), exact(y), exact(w)
        add("kl_div_loss", n, {"axis": axis}, {"x": x, "t": y},
            lines(lambda p, q: mp.fsum(mp.exp(b) * (b - a) for a, b in zip(p, q)), axis, ex, ey))
        for attrs in [{"p": 2.0, "margin": 1.0, "eps": 1e-6}, {"p": 1.0, "margin": 0.25, "eps": 0.5}]:
            if attrs["p"] == 1 and axis != 1:
                continue
            a = of_type(n, attrs)
            add("triplet_loss", n, {"axis": axis, **attrs}, {"anchors": x, "positives": y, "negatives": w},
                lines(lambda u, v, q: max(distance(u, v, int(a["p"]), a["eps"]) - distance(u, q, int(a["p"]), a["eps"])
                                          + a["margin"], mp.mpf(0)), axis, ex, ey, ew))
        for eps in (1e-8, 2.0):
            a = of_type(n, {"eps": eps})
            add("cosine_similarity_loss", n, {"axis": axis, "eps": eps}, {"x1": x, "x2": y},
                lines(lambda u, v: cosine(u, v, a["eps"]), axis, ex, ey))
        size = shape[axis]
        less = np.delete(np.array(shape), axis)
        index = rng.integers(0, size, less).astype(np.int32)
        chosen = np.take_along_axis(ex, np.expand_dims(index, axis), axis)
        add("nll_loss", n, {"axis": axis}, {"x": x, "t": index}, -np.squeeze(chosen, axis))
        add("nll_loss", n, {"axis": axis}, {"x": x, "t": (index - size).astype(np.int64)},
            -np.squeeze(chosen, axis), note="from the end")
        share = numbers(n, rng.uniform(0, 1, shape))
        weight = numbers(n, rng.uniform(0.1, 3, less))
        for e in (0.0, 0.25):
            def of_index(z, at):
                z = [v - max(z) for v in z]
                return mp.log(mp.fsum(map(mp.exp, z))) - (1 - e) * z[at[0]] - e * mp.fsum(z) / len(z)

            def of_shares(z, q):
                z = [v - max(z) for v in z]
                return (mp.log(mp.fsum(map(mp.exp, z))) - (1 - e) * mp.fsum(a * b for a, b in zip(z, q))
                        - e * mp.fsum(z) / len(z))
            attrs = {"axis": axis, "label_smoothing": e}
            l = lines(of_index, axis, ex, np.expand_dims(index, axis))
            add("cross_entropy", n, attrs, {"logits": x, "targets": index}, l)
            add("cross_entropy", n, attrs, {"logits": x, "targets": index, "weights": weight}, l * exact(weight))
            add("cross_entropy", n, attrs, {"logits": x, "targets": share}, lines(of_shares, axis, ex, exact(share)))

L = nn.losses
source = f"mlx {mx.__version__}, mlx.nn.losses"
inf, nan = np.inf, np.nan


def by_mlx(op, inputs, attrs, note):
    """Values that have no digits to lose: whole numbers, infinities, NaN."""
    out = getattr(L, op)(*inputs.values(), **attrs)
    c.add(op, attrs, {k: value(v) for k, v in inputs.items()}, [("out", value(out))], note=note, source=source)


for t in ["float16", "float32"]:
    a, b = array(t, [3, -2, 0, nan, inf, -inf, inf]), array(t, [1, 2, 0, 1, inf, 3, 2])
    for op in ["l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss", "hinge_loss"]:
        by_mlx(op, {"x": a, "t": b}, {"reduction": "none"}, "NaN and infinities")
    by_mlx("margin_ranking_loss", {"x1": a, "x2": b, "t": array(t, [1, -1, 1, 1, 1, -1, 1])},
           {"reduction": "none"}, "NaN and infinities")
logits = array("float32", [[0, -inf, -inf], [-inf, -inf, -inf], [1, inf, 2], [1, nan, 2]])
by_mlx("cross_entropy", {"logits": logits, "targets": mx.array([0, 1, 1, 2])}, {"reduction": "none"},
       "logits that are not finite")
by_mlx("cross_entropy", {"logits": logits, "targets": array("float32", [[1, 0, 0]] * 4)}, {"reduction": "none"},
       "0 times -inf is NaN")
by_mlx("nll_loss", {"x": logits, "t": mx.array([1, 2, 1, 1])}, {"reduction": "none"}, "not finite")
by_mlx("triplet_loss", {"anchors": array("float32", [[1, inf], [nan, 0]]), "positives": array("float32", [[1, 2]] * 2),
                        "negatives": array("float32", [[0, 2]] * 2)}, {"reduction": "none"}, "NaN of inf - inf")
by_mlx("log_cosh_loss", {"x": array("float32", [inf, -inf, nan]), "t": array("float32", [1, 2, 3])},
       {"reduction": "none"}, "NaN and infinities")

for t in ["float16", "float32"]:
    by_mlx("binary_cross_entropy", {"x": array(t, [inf, inf, -inf, -inf, nan]), "t": array(t, [1, 0, 0, 1, 1])},
           {"with_logits": True, "reduction": "none"}, "logits that are not finite")
    by_mlx("kl_div_loss", {"x": array(t, [[-inf, 0], [-inf, 0]]), "t": array(t, [[-inf, 0], [0, -inf]])},
           {"axis": -1, "reduction": "none"}, "logarithms of 0, on both sides")
    by_mlx("cosine_similarity_loss", {"x1": array(t, [[0, 0], [3, 4]]), "x2": array(t, [[1, 2], [3, 4]])},
           {"axis": -1, "eps": 0.5, "reduction": "none"}, "a vector of zeros")
    by_mlx("nll_loss", {"x": array(t, [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]), "t": mx.array([[0, 1], [1, 0]])},
           {"axis": -2, "reduction": "none"}, "an axis from the end")
    for op in ["l1_loss", "mse_loss"]:
        for how in ["mean", "sum", "none"]:
            by_mlx(op, {"x": array(t, []), "t": array(t, [])}, {"reduction": how}, "nothing")
by_mlx("binary_cross_entropy", {"x": array("float32", [0, 0, 0]), "t": mx.array([0, 0, 0])},
       {"with_logits": False, "reduction": "none"}, "integer targets")

f = np.ones((2, 3), np.float32)
c.error("mse_loss", {"reduction": "other"}, {"x": f, "t": f}, note="no such reduction")
c.error("mse_loss", {}, {"x": f, "t": f[:1]}, note="equal shapes")
c.error("cross_entropy", {"label_smoothing": 1.0}, {"logits": f, "targets": f}, note="[0, 1)")
c.error("cross_entropy", {}, {"logits": f, "targets": np.zeros(3, np.int32)}, note="indices lack the axis")
c.error("cross_entropy", {}, {"logits": f, "targets": np.zeros(2, np.int32), "weights": f}, note="weights as the loss")
c.error("gaussian_nll_loss", {}, {"x": f, "t": f, "vars": f[:1]}, note="equal shapes")
c.error("margin_ranking_loss", {}, {"x1": f, "x2": f[:1], "t": f}, note="equal shapes")
c.save()
