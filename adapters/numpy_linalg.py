"""Products, factorizations and transforms by NumPy and SciPy."""
import numpy as np
import scipy
from plumb_adapter import Fail
from numpy_types import C64, F32, accumulator, axes, floating, promoted, promoted_type, wide, wide_type


def product(f):
    """Halves are summed in f32 and rounded once; the result is of the promoted type."""
    def multiplied(a, x, y):
        t = promoted_type(x, y)
        return np.asarray(f(a, *(v.astype(wide_type(t)) for v in (x, y)))).astype(t)
    return multiplied


def vecdot(a, x, y):
    """The axis counts in the operand with more axes."""
    t = accumulator(promoted_type(x, y))
    rank = max(x.ndim, y.ndim)
    axis = a["axis"] if a["axis"] < 0 else a["axis"] - rank
    return np.asarray(np.vecdot(x.astype(wide_type(t)), y.astype(wide_type(t)), axis=axis)).astype(t)


def tensordot(a, x, y):
    meet = a["axes"]
    if isinstance(meet, list):
        meet = np.reshape(meet, (2, -1)).tolist()
    return np.tensordot(x, y, meet)


def summed(text):
    """Whether a label or an ellipsis is summed over."""
    terms, arrow, out = text.partition("->")
    labels = set(terms) - set(",.")
    kept = set(out) if arrow else {c for c in labels if terms.count(c) == 1}
    return bool(labels - kept) or "..." in terms and arrow and "..." not in out


def einsum(a, *operands):
    text = a["subscripts"].replace(" ", "")
    given = promoted(*(v for v in operands if v is not None))
    t = accumulator(given[0].dtype) if summed(text) else given[0].dtype
    return np.asarray(np.einsum(text, *(v.astype(wide_type(t)) for v in given))).astype(t)


def norm(a, x):
    matrix = isinstance(a["axis"], list) and len(a["axis"]) == 2 or a["axis"] is None and x.ndim == 2
    real = x.dtype == C64 and a["ord"] in ((None, "fro", "nuc") if matrix else (None, 2))
    t = F32 if real else floating(x).dtype
    x = wide(floating(x))
    return np.asarray(np.linalg.norm(x, a["ord"], axes(a["axis"]), a["keepdims"])).astype(t)


def eig(a, x):
    w, v = np.linalg.eig(x)
    return w.astype(C64), v.astype(C64)


def pinv(a, x):
    if not np.isfinite(x).all():
        raise Fail("domain", "not finite, which NumPy does not check")
    return np.linalg.pinv(x, rcond=10 * max(x.shape[-2:]) * np.finfo(x.dtype).eps)


def lu(a, x):
    p, lower, upper = scipy.linalg.lu(x, p_indices=True, check_finite=False)
    return p.astype(np.uint32), lower, upper


def lu_factor(a, x):
    factor, pivots = scipy.linalg.lu_factor(x, check_finite=False)
    return factor, pivots.astype(np.uint32)


def ones(x):
    return np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)


def solve(a, x, b):
    x, b = promoted(x, b)
    return np.linalg.solve(x, b)


def solve_triangular(a, x, b):
    x, b = promoted(x, b)
    return scipy.linalg.solve_triangular(x, b, lower=not a["upper"], check_finite=False)


def slogdet(a, x):
    t = floating(x).dtype
    return [np.asarray(v).astype(t) for v in np.linalg.slogdet(wide(floating(x)))]


def linear(a, x, w, bias=None):
    t = x.dtype if bias is None else promoted_type(x, bias)
    y = np.matmul(wide(x), wide(w).T)
    return (y if bias is None else y + bias).astype(t)


# Transforms: scipy.fft keeps single precision, as the rows have it.

def converted(name, x):
    return np.real(x).astype(F32) if name == "rfft" else x.astype(C64)


def transform(name):
    return lambda a, x: getattr(scipy.fft, name)(converted(name, x), a["n"], a["axis"], a["norm"])


def transform_many(name, last_two):
    def transformed(a, x):
        over = a["axes"] if a["axes"] is not None or not last_two else [-2, -1]
        return getattr(scipy.fft, name + "n")(converted(name, x), a["s"], over, a["norm"])
    return transformed


FFT = ("fft", "ifft", "rfft", "irfft")

OPS = {
    **{name: transform(name) for name in FFT},
    **{name + "2": transform_many(name, True) for name in FFT},
    **{name + "n": transform_many(name, False) for name in FFT},
    "matmul": product(lambda a, x, y: np.matmul(x, y)),
    "outer": lambda a, x, y: np.outer(*promoted(x, y)),
    "kron": lambda a, x, y: np.kron(*promoted(x, y)),
    "inner": product(lambda a, x, y: np.inner(x, y)),
    "tensordot": product(tensordot),
    "vecdot": vecdot,
    "einsum": einsum,
    "cross": lambda a, x, y: np.cross(*promoted(x, y), axis=a["axis"]),
    "norm": norm,
    "cholesky": lambda a, x: np.linalg.cholesky(x, upper=a["upper"]),
    "eigh": lambda a, x: np.linalg.eigh(x, a["uplo"]),
    "eigvalsh": lambda a, x: np.linalg.eigvalsh(x, a["uplo"]),
    "eig": eig,
    "eigvals": lambda a, x: np.linalg.eigvals(x).astype(C64),
    "qr": lambda a, x: np.linalg.qr(x),
    "svd": lambda a, x: scipy.linalg.svd(x),
    "svdvals": lambda a, x: scipy.linalg.svdvals(x),
    "pinv": pinv,
    "lu": lu,
    "lu_factor": lu_factor,
    "inv": lambda a, x: np.linalg.inv(x),
    "tri_inv": lambda a, x: scipy.linalg.solve_triangular(x, ones(x), lower=not a["upper"],
                                                           check_finite=False),
    "cholesky_inv": lambda a, x: scipy.linalg.cho_solve((x, not a["upper"]), ones(x), check_finite=False),
    "solve": solve,
    "solve_triangular": solve_triangular,
    "det": lambda a, x: np.asarray(np.linalg.det(wide(floating(x)))).astype(floating(x).dtype),
    "slogdet": slogdet,
    "linear": linear,
    "pointwise_projection": product(lambda a, x, w: np.matmul(x, w.T)),
}


def refuse_flat(call):
    flat = [(t["shape"] or [0])[call["attrs"]["axis"]] == 2 for t in call["in"]]
    return "of vectors of two numbers NumPy gives the third component alone" if all(flat) else ""


REFUSE = {"cross": refuse_flat}
