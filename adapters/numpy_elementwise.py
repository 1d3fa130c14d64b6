"""Elementwise operations by NumPy, scipy.special and ml_dtypes."""
import numpy as np
import ml_dtypes
import scipy
from plumb_adapter import DTYPES
from numpy_types import BF16, F32, as_type, floating, promoted, promoted_type, wide

E4M3 = np.dtype(ml_dtypes.float8_e4m3fn)

# The type of x, or of what NumPy makes of it: no conversion.
PLAIN = {"square": np.square, "abs": np.abs, "negative": np.negative, "sign": np.sign, "conjugate": np.conjugate,
         "real": np.real, "imag": np.imag, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "isnan": np.isnan,
         "isinf": np.isinf, "isfinite": np.isfinite, "isposinf": np.isposinf, "isneginf": np.isneginf,
         "logical_not": np.logical_not, "bitwise_invert": np.invert}

# Whole numbers become f32 first.
FLOATING = {"reciprocal": np.reciprocal, "sqrt": np.sqrt, "exp": np.exp, "expm1": np.expm1, "log": np.log,
            "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan,
            "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh,
            "tanh": np.tanh, "arcsinh": np.arcsinh, "arccosh": np.arccosh, "arctanh": np.arctanh}

# Of scipy.special, which has no loops for halves of its own: they are computed in f32.
SPECIAL = {"erf": "erf", "erfinv": "erfinv", "sigmoid": "expit", "log_sigmoid": "log_expit"}

# Both operands become the promoted type first.
BINARY = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "maximum": np.maximum,
          "minimum": np.minimum, "floor_divide": np.floor_divide, "remainder": np.remainder, "divmod": np.divmod,
          "power": np.power, "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
          "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
          "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
          "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}

FLOATING_BINARY = {"divide": np.divide, "logaddexp": np.logaddexp, "arctan2": np.arctan2}


def plain(f):
    return lambda a, x: f(x)


def of_floating(f):
    return lambda a, x: f(floating(x))


def special(name):
    return lambda a, x: getattr(scipy.special, name)(wide(floating(x))).astype(floating(x).dtype)


def binary(f):
    return lambda a, x, y: f(*promoted(x, y))


def floating_binary(f):
    return lambda a, x, y: f(*map(floating, promoted(x, y)))


def shift(f):
    """bool counts as u8."""
    def shifted(a, x, y):
        x, y = promoted(x, y)
        return f(x.view(np.uint8), y.view(np.uint8)) if x.dtype == np.bool_ else f(x, y)
    return shifted


def whole_kept(f):
    """NumPy refuses bool and some integer types where the result is the number itself."""
    return lambda a, x: x if x.dtype.kind in "bui" else f(x)


def subtract(a, x, y):
    x, y = promoted(x, y)
    return np.logical_xor(x, y) if x.dtype == np.bool_ else np.subtract(x, y)


def clip(a, x, low=None, high=None):
    given = promoted(*(b for b in (x, low, high) if b is not None))
    x = given.pop(0)
    ends = [given.pop(0) if b is not None else None for b in (low, high)]
    return np.clip(x, *ends).astype(x.dtype)  # of bf16 NumPy returns f32


def hard_tanh(a, x):
    x = floating(x)
    return np.clip(x, x.dtype.type(a["min_val"]), x.dtype.type(a["max_val"])).astype(x.dtype)


def where(a, condition, x, y):
    return np.where(condition.astype(bool), *promoted(x, y))


def isclose(f):
    def close(a, x, y):
        t = np.complex128 if promoted_type(x, y).kind == "c" else np.float64
        keep = promoted_type(x, y).itemsize == 8 and promoted_type(x, y).kind in "fc"
        x, y = (v.astype(t if keep else F32) for v in (x, y))
        return np.asarray(f(x, y, rtol=F32.type(a["rtol"]), atol=F32.type(a["atol"]), equal_nan=a["equal_nan"]))
    return close


def array_equal(a, x, y):
    x, y = promoted(x, y)
    return np.asarray(np.array_equal(x, y, equal_nan=a["equal_nan"]))


def to_fp8(a, x):
    """Saturating, as the row has it; ml_dtypes gives NaN beyond the range."""
    return np.clip(x, x.dtype.type(-448), x.dtype.type(448)).astype(E4M3).view(np.uint8)


def nan_to_num(a, x):
    if x.dtype == BF16:
        top = ml_dtypes.finfo(BF16)
        top = {"posinf": top.max if a["posinf"] is None else a["posinf"],
               "neginf": top.min if a["neginf"] is None else a["neginf"]}
        return np.nan_to_num(x.astype(F32), nan=a["nan"], **top).astype(BF16)
    return np.nan_to_num(x, nan=a["nan"], posinf=a["posinf"], neginf=a["neginf"])


OPS = {
    **{name: plain(f) for name, f in PLAIN.items()},
    **{name: of_floating(f) for name, f in FLOATING.items()},
    **{name: special(f) for name, f in SPECIAL.items()},
    **{name: binary(f) for name, f in BINARY.items()},
    **{name: floating_binary(f) for name, f in FLOATING_BINARY.items()},
    **{name: whole_kept(PLAIN[name]) for name in ("floor", "ceil", "trunc")},
    "sign": lambda a, x: x if x.dtype == np.bool_ else np.sign(x),
    "square": lambda a, x: x if x.dtype == np.bool_ else np.square(x),
    "conjugate": lambda a, x: np.conjugate(x) if x.dtype.kind == "c" else x,
    "subtract": subtract,
    "left_shift": shift(np.left_shift),
    "right_shift": shift(np.right_shift),
    "astype": lambda a, x: as_type(x, DTYPES[a["dtype"]]),
    "to_fp8": to_fp8,
    "from_fp8": lambda a, x: x.view(E4M3).astype(DTYPES[a["dtype"]]),
    "where": where,
    "clip": clip,
    "round": lambda a, x: x if x.dtype == np.bool_ else np.round(x, a["decimals"]),
    "nan_to_num": nan_to_num,
    "isclose": isclose(np.isclose),
    "allclose": isclose(np.allclose),
    "array_equal": array_equal,
    "relu": lambda a, x: np.maximum(x, x.dtype.type(0)),
    "relu6": lambda a, x: np.clip(x, x.dtype.type(0), x.dtype.type(6)).astype(x.dtype),
    "hard_tanh": hard_tanh,
    "degrees": lambda a, x: np.degrees(floating(x)).astype(floating(x).dtype),
    "radians": lambda a, x: np.radians(floating(x)).astype(floating(x).dtype),
    "softplus": lambda a, x: np.logaddexp(floating(x), floating(x).dtype.type(0)),
}


def refuse_complex(call):
    return "NumPy has it of real numbers" if call["in"][0]["dtype"] == "c64" else ""


REFUSE = {name: refuse_complex for name in ("degrees", "radians")}
