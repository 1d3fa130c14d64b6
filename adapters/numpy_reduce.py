"""Reductions, scans, sorting and searching by NumPy and SciPy."""
import numpy as np
import scipy
from plumb_adapter import DTYPES
from numpy_types import (C64, F32, HALVES, accumulator, as_type, axes, constant, float_type, floating, promoted, wide,
                         wide_type)


def along(a):
    return {"axis": axes(a["axis"]), "keepdims": a["keepdims"]}


def folded(f):
    """A sum or a product: in f32 of halves, in 32 bits of small integers."""
    def fold(a, x):
        t = accumulator(x.dtype)
        return f(x, dtype=wide_type(t), **along(a)).astype(t)
    return fold


def reduced(f):
    return lambda a, x: f(x, **along(a))


def placed(f):
    return lambda a, x: np.asarray(f(x, **along(a))).astype(np.uint32)


def spread(f):
    """var and std: of whole numbers in f64, of halves in f32; of complex numbers real."""
    def moment(a, x):
        c = a["ddof"] if a["correction"] is None else a["correction"]
        part = {C64: F32}.get(float_type(x.dtype), float_type(x.dtype))
        return np.asarray(f(wide(x), ddof=c, **along(a))).astype(part)
    return moment


def lines(f):
    """A function of an axis, which none makes that of the flattened array."""
    return lambda a, x: f(a, x.reshape(-1), 0) if a["axis"] is None else f(a, x, a["axis"])


def scan(f):
    """f(line, axis, whether the neutral element goes first), in the order of the scan."""
    def scanned(a, x, axis):
        x = np.flip(x, axis) if a["reverse"] else x
        y = f(a, x, axis)
        if not a["inclusive"]:
            y = np.delete(y, -1, axis)
        return np.flip(y, axis) if a["reverse"] else y
    return lines(scanned)


def summed(f):
    def cumulative(a, x, axis):
        t = DTYPES[a["dtype"]] if a["dtype"] else np.dtype(np.int32) if x.dtype == np.bool_ else x.dtype
        if f is np.cumulative_prod and not a["dtype"]:
            t = x.dtype
        x = as_type(x, t)
        return f(wide(x), axis=axis, dtype=wide_type(t), include_initial=not a["inclusive"]).astype(t)
    return scan(cumulative)


def extreme(f, neutral):
    def cumulative(a, x, axis):
        if not a["inclusive"]:
            x = np.concatenate([np.full_like(np.take(x, [0], axis), neutral(x.dtype)), x], axis)
        return f.accumulate(x, axis)
    return scan(cumulative)


def end(t, up):
    if t.kind == "b":
        return up
    if t.kind in "ui":
        return np.iinfo(t).max if up else np.iinfo(t).min
    infinity = np.inf if up else -np.inf
    return complex(infinity, infinity) if t.kind == "c" else infinity


def logcumsumexp(a, x, axis):
    x = floating(x)
    if not a["inclusive"]:
        x = np.concatenate([np.full_like(np.take(x, [0], axis), -np.inf), x], axis)
    return np.logaddexp.accumulate(wide(x), axis).astype(x.dtype)


def topk(a, x, axis):
    n, k = x.shape[axis], a["k"]
    part = np.partition(x, n - k, axis) if 0 < k < n else x
    return np.take(part, range(n - k, n), axis)


def searchsorted(a, sequence, values):
    sequence, values = promoted(sequence, values)
    return np.asarray(np.searchsorted(sequence, values, a["side"])).astype(np.uint32)


def unique(a, x):
    """np.unique, then cut or filled to the size."""
    values, indices, inverse, counts = np.unique(x, True, True, True, equal_nan=False)
    size = values.size if a["size"] is None else a["size"]
    more = max(size - values.size, 0)
    fill = values[:1] if a["fill_value"] is None else constant(a["fill_value"], x.dtype)[None]
    values = np.concatenate([values[:size], np.repeat(fill, more)])
    indices = np.concatenate([indices[:size], np.repeat(indices[:1] if indices.size else [0], more)])
    counts = np.concatenate([counts[:size], np.zeros(more, counts.dtype)])
    inverse = np.minimum(inverse.reshape(x.shape), max(size - 1, 0))
    return values, indices.astype(np.uint32), inverse.astype(np.uint32), counts.astype(np.int32)


def trace(a, x):
    x = as_type(x, DTYPES[a["dtype"]]) if a["dtype"] else x
    t = accumulator(x.dtype)
    return np.asarray(np.trace(x, a["offset"], a["axis1"], a["axis2"], dtype=wide_type(t))).astype(t)


def hadamard(a, x):
    n = x.shape[-1] if x.ndim else 1
    scale = 1 / np.sqrt(n) if a["scale"] is None else a["scale"]
    t = wide_type(float_type(x.dtype))
    line = x.astype(t).reshape(x.shape or (1,))
    return (np.matmul(line, scipy.linalg.hadamard(n).astype(t)) * t.type(scale)).astype(float_type(x.dtype)).reshape(
        x.shape)


OPS = {
    "sum": folded(np.sum),
    "prod": folded(np.prod),
    "max": reduced(np.max),
    "min": reduced(np.min),
    "minmax": lambda a, x: (np.min(x, **along(a)), np.max(x, **along(a))),
    "all": lambda a, x: np.all(x.astype(bool), **along(a)),
    "any": lambda a, x: np.any(x.astype(bool), **along(a)),
    "count_nonzero": lambda a, x: np.asarray(np.count_nonzero(x, **along(a))).astype(np.int32),
    "argmax": placed(np.argmax),
    "argmin": placed(np.argmin),
    "mean": lambda a, x: np.asarray(np.mean(wide(x), **along(a))).astype(float_type(x.dtype)),
    "var": spread(np.var),
    "std": spread(np.std),
    "median": lambda a, x: np.asarray(np.median(x, **along(a))).astype(float_type(x.dtype)),
    "logsumexp": lambda a, x: np.asarray(scipy.special.logsumexp(wide(floating(x)), **along(a))).astype(
        float_type(x.dtype)),
    "softmax": lambda a, x: scipy.special.softmax(wide(floating(x)), axes(a["axis"])).astype(float_type(x.dtype)),
    "cumsum": summed(np.cumulative_sum),
    "cumprod": summed(np.cumulative_prod),
    "cummax": extreme(np.maximum, lambda t: end(t, False)),
    "cummin": extreme(np.minimum, lambda t: end(t, True)),
    "logcumsumexp": scan(logcumsumexp),
    "diff": lambda a, x: np.diff(x.astype(F32), a["n"], a["axis"]).astype(x.dtype) if x.dtype in HALVES else np.diff(
        x, a["n"], a["axis"]),
    "sort": lambda a, x: np.sort(x, a["axis"], kind="stable"),
    "argsort": lambda a, x: np.argsort(x, a["axis"], kind="stable").astype(np.uint32),
    "partition": lambda a, x: np.partition(x, a["kth"], a["axis"]),
    "argpartition": lambda a, x: np.argpartition(x, a["kth"], a["axis"]).astype(np.uint32),
    "topk": lines(topk),
    "searchsorted": searchsorted,
    "unique": unique,
    "trace": trace,
    "hadamard_transform": hadamard,
}


def refuse_hadamard(call):
    n = (call["in"][0]["shape"] or [1])[-1]
    return "" if n > 0 and n & (n - 1) == 0 else "scipy.linalg.hadamard has powers of two only"


REFUSE = {"hadamard_transform": refuse_hadamard}
