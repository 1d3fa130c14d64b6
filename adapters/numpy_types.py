"""Types of results, as the rows state them: an adapter translates types, so that what is judged are a library's values.
NumPy's own promotion takes i32 with f32 to f64, where the rows take f32."""
import numpy as np
import ml_dtypes

BF16 = np.dtype(ml_dtypes.bfloat16)
F16, F32, F64, C64 = (np.dtype(t) for t in (np.float16, np.float32, np.float64, np.complex64))
I32, U32, I64 = (np.dtype(t) for t in (np.int32, np.uint32, np.int64))
HALVES = (F16, BF16)
FLOATS = (F16, BF16, F32, F64)


def whole(t):
    return t.kind in "bui"


def promoted_pair(t, u):
    if t == u:
        return t
    if C64 in (t, u):
        return C64
    if whole(t) and whole(u):
        p = np.promote_types(t, u)
        return F32 if p == F64 else p
    if whole(t) or whole(u):
        return u if whole(t) else t
    return max(t, u, key=lambda x: x.itemsize) if t.itemsize != u.itemsize else F32


def promoted_type(*arrays):
    p = arrays[0].dtype
    for a in arrays[1:]:
        p = promoted_pair(p, a.dtype)
    return p


def promoted(*arrays):
    """The arrays, each as the type that all promote to."""
    p = promoted_type(*arrays)
    return [a.astype(p, copy=False) for a in arrays]


def float_type(t):
    return F32 if whole(t) else t


def floating(x):
    return x.astype(float_type(x.dtype), copy=False)


def wide_type(t):
    """What sums of the type are kept in: f32 for halves."""
    return F32 if t in HALVES else t


def wide(x):
    return x.astype(wide_type(x.dtype), copy=False)


def accumulator(t):
    """The type of a sum: 32 bits for bool and smaller integers."""
    if t.kind in "bi":
        return I64 if t.itemsize == 8 else I32
    if t.kind == "u":
        return t if t.itemsize == 8 else U32
    return t


def axes(value):
    """An attribute that is an axis, a list of them, or none, as NumPy takes it."""
    return tuple(value) if isinstance(value, list) else value


def index(i):
    """Indices as NumPy takes them; what 64 bits with a sign lack is as far outside as can be."""
    if i.dtype.kind not in "iu":
        return i
    return (np.minimum(i, np.uint64(2**63 - 1)) if i.dtype == np.uint64 else i).astype(np.int64)


def constant(value, t):
    """A number of an attribute as the rows make it one of the type: cut, and held within whole numbers."""
    if t.kind in "iu":
        ends = np.iinfo(t)
        value = 0 if value != value else int(max(min(value, float(ends.max)), float(ends.min)))
        value = max(min(value, int(ends.max)), int(ends.min))
    return np.asarray(value).astype(t)


def as_type(x, t):
    """A cast as the rows have it where NumPy's own is defined: complex numbers to their real parts."""
    x = np.asarray(x)
    if x.dtype.kind == "c" and t.kind not in "cb":
        x = x.real
    return x.astype(t)
