"""Recorded Einstein summations: numpy's einsum in a type that is wide enough, rounded once; what numpy refuses or means
otherwise (result types, an ellipsis that the result lacks, labels of size 1 that are summed) comes from mlx.
"""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

BF16 = ml_dtypes.bfloat16
ROUNDOFF = {np.dtype(np.float16): 2.0**-11, np.dtype(BF16): 2.0**-8, np.dtype(np.float64): 2.0**-53}

c = Corpus("einsum", source=f"numpy {np.__version__}")
rng = np.random.default_rng(41)


def whole(shape, dtype=np.float32):
    low = 0 if np.dtype(dtype).kind in "bu" else -3
    return rng.integers(low, 2 if np.dtype(dtype) == bool else 4, shape).astype(dtype)


def real(shape, dtype=np.float32):
    x = rng.uniform(-1, 1, shape)
    return (x + 1j * rng.uniform(-1, 1, shape) if np.dtype(dtype) == np.complex64 else x).astype(dtype)


def wide(x):
    if x.dtype.kind in "biu":
        return x.astype(np.int64)
    if x.dtype == np.complex64:
        return x.astype(np.complex128)
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)


def add(subscripts, *x, out=None, terms=0, note=""):
    """terms: of sums that are not exact."""
    with np.errstate(all="ignore"):
        y = np.asarray(np.einsum(subscripts.replace(" ", ""), *[wide(v) for v in x])).astype(out or x[0].dtype)
    inputs = {f"op{i}": v for i, v in enumerate(x)}
    if terms == 0:
        return c.add("einsum", {"subscripts": subscripts}, inputs, [("out", y)], note=note)
    u = ROUNDOFF.get(np.dtype(out or x[0].dtype), 2.0**-24)
    return c.add("einsum", {"subscripts": subscripts}, inputs, [("out", y)], compare="close",
                 tol=(2 * u, 8 * terms * terms * min(u, 2.0**-24)), note=note)


def asked(subscripts, *x, note=""):
    y = np.array(mx.einsum(subscripts, *[mx.array(v) for v in x]))
    return c.add("einsum", {"subscripts": subscripts}, {f"op{i}": v for i, v in enumerate(x)}, [("out", y)], note=note,
                 source=f"mlx {mx.__version__} cpu")


for s, *shapes in [("ij->ji", (3, 4)), ("ii->i", (4, 4)), ("ii", (4, 4)), ("iij->ij", (3, 3, 4)), ("ij->", (3, 4)),
                   ("ij->j", (3, 4)), ("bA", (3, 4)), ("ij,jk->ik", (3, 4), (4, 5)), ("ij,jk", (3, 4), (4, 5)),
                   ("ij,jk->ki", (3, 4), (4, 5)), ("i,j->ij", (3,), (4,)), ("ij,ij->i", (3, 4), (3, 4)),
                   ("ij,ij->ij", (3, 4), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("ii,i->i", (4, 4), (4,)),
                   ("bqhd,bkhd->bhqk", (2, 3, 2, 5), (2, 4, 2, 5)), ("...ij,...jk->...ik", (2, 1, 3, 4), (6, 4, 5)),
                   ("...i->...", (2, 3, 4)), ("i...,i...->...", (3, 1), (3, 4)),
                   ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
                   ("i,j,ij->", (3,), (4,), (3, 4)), ("i,", (3,), ()), (",i->i", (), (3,)), ("->", ()), ("", ()),
                   ("i j , j k - > i k", (2, 3), (3, 4)), ("ij,k->ik", (3, 4), (2,)), ("ij,jk->ik", (3, 0), (0, 4)),
                   ("ab,bc,cd,de,ef,fg,gh,h->a", (2, 2), (2, 3), (3, 2), (2, 3), (3, 2), (2, 2), (2, 2), (2,))]:
    add(s, *[whole(shape) for shape in shapes], note="whole numbers")
for t, out in ((bool, np.int32), (np.int8, np.int32), (np.uint8, np.uint32), (np.int64, np.int64)):
    add("ij->i", whole((3, 4), t), out=out, note="sums of whole numbers widen")
    add("ii->i", whole((4, 4), t), note="a diagonal keeps the type")
add("i,j->ij", whole(3, np.int16), whole(4, np.int16), note="products of whole numbers")
add("i,j->", whole(3, np.int8), whole(4, np.int8), out=np.int32, note="sums of one operand each")
for t in (np.float16, BF16, np.float32, np.float64, np.complex64):
    add("ij,jk->ik", real((3, 17), t), real((17, 4), t), terms=34, note="one step")
    add("ij,jk,kl->il", real((3, 7), t), real((7, 6), t), real((6, 4), t), terms=60, note="two steps")
    add("aij,jbk->ibka", real((2, 5, 4), t), real((4, 3, 6), t), terms=12, note="axes in another order")
asked("i...->i", whole((2, 3, 4)), note="an ellipsis that the result lacks is summed")
asked("i,i->", whole(1), whole(4), note="a label of size 1 repeats, also where it is summed")
asked("ij,jk->ik", whole((3, 1)), whole((4, 5)), note="a label of size 1 repeats, also where it is summed")
for s, shapes, note in [("ij->ij", ((3, 4), (4, 5)), "one term for two operands"), ("i,->i", ((3,),), "two for one"),
                        (",", ((),), "two for one"), ("ijk->i", ((3, 4),), "three labels for two axes"),
                        ("ij,ik->jk", ((3, 4), (4, 5)), "3 and 4 of one label"), ("ii->i", ((1, 3),), "1 and 3 in one"),
                        ("ij->ii", ((3, 4),), "a label twice in the result"),
                        ("ij->k", ((3, 4),), "a label of no operand"),
                        ("i1->i", ((3, 4),), "labels are letters"), ("i..j->i", ((3, 4),), "two dots"),
                        ("...i...->i", ((3, 4),), "two ellipses"), ("i\tj->i", ((3, 4),), "a tab")]:
    c.error("einsum", {"subscripts": s}, {f"op{i}": whole(shape) for i, shape in enumerate(shapes)}, note=note)
c.error("einsum", {"subscripts": "ij,jk->ik"}, {"op0": whole((3, 4), np.int32), "op1": whole((4, 5), np.int32)},
        note="a sum of products of whole numbers")


# Special values among three and four operands, where every order of the products says the same.
for n in (np.float16, np.float32, np.float64, np.complex64):
    x = [whole(shape, n) for shape in ((3, 4), (4, 5), (5, 2))]
    for k, place in enumerate([(1, 2), (3, 0), (4, 1)]):
        y = [v.copy() for v in x]
        y[k][place] = np.nan
        if n != np.complex64:
            add("ij,jk,kl->il", *y, note="a NaN reaches what it is a factor of")
            add("ij,jk,kl->jk", *y, note="and that alone")
    if n == np.complex64:
        continue
    x = [np.abs(v) + 1 for v in x]
    for k, place in enumerate([(1, 2), (3, 0), (4, 1)]):
        y = [v.copy() for v in x]
        y[k][place] = -np.inf
        add("ij,jk,kl->il", *y, note="an infinity among positive numbers")
    x[0][:], x[2][0, 0] = 0, np.inf
    add("ij,jk,kl->il", *x, note="nothing times an infinity")
for shapes in (((3, 4), (4, 0), (0, 2)), ((3, 0), (0, 5), (5, 2)), ((0, 4), (4, 5), (5, 2)), ((3, 4), (4, 5), (5, 0))):
    add("ij,jk,kl->il", *(np.full(s, np.nan, np.float32) for s in shapes), note="sums of nothing among NaN")
add("i,j,k->", np.full(3, np.nan, np.float32), np.full(0, np.inf, np.float32), np.full(2, np.nan, np.float32),
    note="nothing is 0")
add("ij,jk,kl,lm->im", *(np.full(s, np.nan, np.float32) for s in ((2, 3), (3, 0), (0, 3), (3, 2))),
    note="four operands")
add("ij,jk,kl,lm->im", *(whole(s) for s in ((2, 3), (3, 4), (4, 3), (3, 2))), note="four operands")
add("ij,ij,ij,ij,ij->i", *(whole((3, 4)) for _ in range(5)), note="five operands")
c.save()
