"""Recorded products of whole tensors: numpy's outer, kron, inner, tensordot and vecdot, in a type that is wide enough,
rounded once. Result types of mixed operands and of whole numbers come from mlx.
"""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

BF16 = ml_dtypes.bfloat16
TO_MLX = {"bool": mx.bool_, "int8": mx.int8, "uint8": mx.uint8, "int16": mx.int16, "int32": mx.int32, "int64": mx.int64,
          "uint64": mx.uint64, "float16": mx.float16, "bfloat16": mx.bfloat16, "float32": mx.float32,
          "float64": mx.float64, "complex64": mx.complex64}
FROM_MLX = {f"mlx.core.{k}": k for k in TO_MLX} | {"mlx.core.uint32": "uint32"}

c = Corpus("tensor", source=f"numpy {np.__version__}, result types from mlx {mx.__version__} cpu")
rng = np.random.default_rng(31)


def whole(shape, dtype=np.float32, top=3):
    if np.dtype(dtype) == np.complex64:
        return (rng.integers(-top, top + 1, shape) + 1j * rng.integers(-top, top + 1, shape)).astype(dtype)
    low = 0 if np.dtype(dtype).kind in "bu" else -top
    return rng.integers(low, 2 if np.dtype(dtype) == bool else top + 1, shape).astype(dtype)


def real(shape, dtype=np.float32):
    x = rng.uniform(-1, 1, shape)
    return (x + 1j * rng.uniform(-1, 1, shape) if np.dtype(dtype) == np.complex64 else x).astype(dtype)


def promoted(a, b):
    one = [mx.zeros((1,), TO_MLX[np.dtype(x.dtype).name]) for x in (a, b)]
    name = FROM_MLX[str(mx.multiply(*one).dtype)]
    return np.dtype(BF16) if name == "bfloat16" else np.dtype(name)


def wide(x, dtype):
    x = np.asarray(x).astype(dtype)
    if x.dtype == np.complex64:
        return x.astype(np.complex128)
    return x.astype(np.longdouble if x.dtype == np.float64 else np.int64 if x.dtype.kind in "iub" else np.float64)


def add(op, f, a, b, attrs=None, terms=0, note="", out=None):
    """terms: of a sum of numbers that are not whole, up to 1 in magnitude."""
    p = promoted(a, b)
    with np.errstate(all="ignore"):
        y = np.asarray(f(wide(a, p), wide(b, p))).astype(out or p)
    if terms == 0:
        return c.add(op, attrs or {}, {"a": a, "b": b}, [("out", y)], note=note)
    u = {np.dtype(np.float16): 2.0**-11, np.dtype(BF16): 2.0**-8, np.dtype(np.float64): 2.0**-53}.get(p, 2.0**-24)
    n = terms * (2 if p == np.complex64 else 1)
    return c.add(op, attrs or {}, {"a": a, "b": b}, [("out", y)], compare="close",
                 tol=(2 * u, 2 * n * n * min(u, 2.0**-24)), note=note)


for a, b in [((3,), (4,)), ((2, 3), (2, 2)), ((), (3,)), ((0,), (3,))]:
    add("outer", np.outer, whole(a), whole(b), note=f"{list(a)} with {list(b)}")
    if 0 not in a:
        add("kron", np.kron, whole(a), whole(b), note=f"{list(a)} with {list(b)}")
for t in (bool, np.int8, np.uint64, np.float16, BF16, np.float64, np.complex64):
    add("outer", np.outer, whole((3, 2), t), whole(4, t), note="each type")
    add("kron", np.kron, whole((3, 2), t), whole(4, t), note="each type")
add("outer", np.outer, whole(3, np.int32), whole(4, np.float16), note="int32 with float16")
add("kron", np.kron, whole((2, 3, 2)), whole((3, 1, 2)), note="three axes")
add("kron", np.kron, whole(3), whole((2, 3, 2)), note="ranks are padded in front")
add("outer", np.outer, real(7), real(5), note="one rounding")
add("kron", np.kron, real((3, 4)), real((2, 3)), note="one rounding")
inf = np.float32(np.inf)
add("outer", np.outer, np.array([inf, 0, np.nan, -1], np.float32), np.array([0, -inf, 2], np.float32), note="specials")
c.error("kron", {}, {"a": whole((0,)), "b": whole((3,))}, note="an empty operand")

for a, b in [((5,), (5,)), ((2, 3, 5), (4, 5)), ((5,), (2, 5)), ((3, 0), (2, 0)), ((0, 5), (4, 5))]:
    add("inner", np.inner, whole(a), whole(b), note=f"{list(a)} with {list(b)}")
add("inner", np.inner, whole((), np.int32), whole((2, 3), np.int32), note="a scalar multiplies whole numbers")
for t in (np.float16, BF16, np.float32, np.float64, np.complex64):
    add("inner", np.inner, real((3, 17), t), real((4, 17), t), terms=17)
    add("tensordot", lambda x, y: np.tensordot(x, y, 2), real((3, 4, 5), t), real((4, 5, 6), t), {"axes": 2}, terms=20)
    add("vecdot", lambda x, y: (np.conj(x) * y).sum(-1), real((3, 17), t), real((3, 17), t), {"axis": -1}, terms=17,
        note="the first is conjugated")
add("inner", np.inner, np.ones((2, 2100), np.float16), np.ones(2100, np.float16), note="f16 sums pass 2048 in f32")
c.error("inner", {}, {"a": whole((2, 3), np.int32), "b": whole((4, 3), np.int32)}, note="a sum of whole numbers")
c.error("inner", {}, {"a": whole((2, 3)), "b": whole((4, 2))}, note="last axes of 3 and 2")

for a, b, axes in [((3, 4, 5), (5, 4, 2), [[1, 2], [1, 0]]), ((3, 4, 5), (5, 3, 4), [[0, 1, 2], [1, 2, 0]]),
                   ((2, 3), (4, 5), [[], []]), ((2, 3), (4, 5), 0), ((3, 4), (4, 5), 1), ((4, 3), (2, 3), [[-1], [1]]),
                   ((2, 0), (0, 3), 1), ((2, 3, 4), (4, 2, 3, 5), [[1, 2], [2, 0]])]:
    add("tensordot", lambda x, y: np.tensordot(x, y, axes), whole(a), whole(b), {"axes": axes}, note=f"axes {axes}")
for a, b, axes, note in [((2, 3), (3, 2), -1, "fewer axes than none"), ((2, 3), (3, 2), 3, "more axes than there are"),
                         ((2, 3), (3, 2), [[0, 1], [0]], "lists of two and one"),
                         ((2, 3), (2, 3), 1, "3 meets 2"), ((3, 3), (3, 3), [[0, 0], [0, 1]], "an axis twice")]:
    c.error("tensordot", {"axes": axes}, {"a": whole(a), "b": whole(b)}, note=note)
c.error("tensordot", {"axes": [[2], [0]]}, {"a": whole((2, 3)), "b": whole((3, 2))}, error="out_of_range",
        note="beyond the rank")
c.error("tensordot", {"axes": 1}, {"a": whole((2, 3), np.int32), "b": whole((3, 2), np.int32)}, note="whole numbers")

dot = {-1: lambda x, y: (np.conj(x) * y).sum(-1), 0: lambda x, y: (np.conj(x) * y).sum(0)}
for t, s in ((bool, np.int32), (np.int8, np.int32), (np.uint8, np.uint32), (np.int64, np.int64), (np.float32, None)):
    add("vecdot", dot[-1], whole((3, 7), t), whole((3, 7), t), {"axis": -1}, out=s, note="each type")
add("vecdot", dot[0], whole((5, 3)), whole((5, 3)), {"axis": 0}, note="the first axis")
add("vecdot", dot[-1], whole((2, 3, 0)), whole((2, 3, 0)), {"axis": -1}, note="empty vectors")
add("vecdot", dot[-1], whole((2, 1, 5)), whole((3, 5)), {"axis": -1}, note="the others broadcast")
add("vecdot", dot[-1], np.ones((2, 600), BF16), np.ones((2, 600), BF16), {"axis": -1}, note="bf16 sums pass 256")
c.error("vecdot", {"axis": 2}, {"a": whole((2, 3)), "b": whole((2, 3))}, error="out_of_range", note="beyond the rank")
c.error("vecdot", {"axis": -1}, {"a": whole((2, 3)), "b": whole((2, 1))}, note="vectors of 3 and 1")

c.save()
