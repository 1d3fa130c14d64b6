"""Recorded products of pairs of matrices that indices name, over ranges of terms, and with masked blocks:
numpy, in a type that is wide enough, rounded once. What is refused was asked of mlx.
"""

import pathlib
import sys

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

BF16 = ml_dtypes.bfloat16
ROUNDOFF = {np.dtype(np.float16): 2.0**-11, np.dtype(BF16): 2.0**-8, np.dtype(np.float64): 2.0**-53}

c = Corpus("batched", source=f"numpy {np.__version__}")
rng = np.random.default_rng(37)


def whole(shape, dtype=np.float32, top=3):
    return rng.integers(-top, top + 1, shape).astype(dtype)


def real(shape, dtype=np.float32):
    x = rng.uniform(-1, 1, shape)
    return (x + 1j * rng.uniform(-1, 1, shape) if np.dtype(dtype) == np.complex64 else x).astype(dtype)


def wide(x):
    if x.dtype == np.complex64:
        return x.astype(np.complex128)
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)


def add(op, attrs, inputs, y, out, terms, note, size=1.0):
    """terms: of a sum that is not exact, each up to `size`; 0 where all is whole."""
    with np.errstate(all="ignore"):
        y = np.asarray(y).astype(out)
    inputs = {k: v for k, v in inputs.items() if v is not None}
    if terms == 0:
        return c.add(op, attrs, inputs, [("out", y)], note=note)
    u = ROUNDOFF.get(np.dtype(out), 2.0**-24)
    return c.add(op, attrs, inputs, [("out", y)], compare="close",
                 tol=(2 * u, 4 * size * terms * terms * min(u, 2.0**-24)), note=note)


def gather(a, b, left, right, terms=0, note="", flag=False):
    flat = [wide(x).reshape((int(np.prod(x.shape[:-2])),) + x.shape[-2:]) for x in (a, b)]
    default = [np.arange(int(np.prod(x.shape[:-2])), dtype=np.uint32).reshape(x.shape[:-2]) for x in (a, b)]
    l, r = np.broadcast_arrays(default[0] if left is None else left, default[1] if right is None else right)
    y = np.matmul(flat[0][l.astype(np.int64)], flat[1][r.astype(np.int64)])
    return add("gather_mm", {"sorted_indices": flag},
               {"a": a, "b": b, "lhs_indices": left, "rhs_indices": right}, y, a.dtype, terms, note)


u32 = np.uint32
gather(whole((4, 3, 5)), whole((3, 5, 2)), u32([3, 0, 0]), u32([2, 1, 1]), note="both")
gather(whole((2, 2, 3, 5)), whole((3, 5, 2)), None, u32([2, 1]), note="all of a, of the shape of its batch")
gather(whole((2, 2, 1, 1)), whole((3, 1, 1)), np.int64([3, 0]), np.uint8([2, 1]), note="flat positions")
gather(whole((4, 3, 5)), whole((3, 5, 2)), u32([[3], [1]]), u32([0, 2, 2]), note="index arrays broadcast")
gather(whole((4, 3, 5)), whole((3, 5, 2)), u32(2), u32([[0, 1]]), note="a single index")
gather(whole((2, 3, 0)), whole((3, 0, 2)), u32([1]), u32([2]), note="nothing to add up")
for t in (np.float16, BF16, np.float32, np.float64):
    gather(real((6, 1, 17), t), real((3, 17, 4), t), None, u32([0, 0, 1, 1, 1, 2]), terms=17, flag=True, note="sorted")
for i, j, note in ((u32([0, 1]), u32([0, 1, 2]), "2 beside 3"), (np.float32([0]), None, "indices of no number")):
    c.error("gather_mm", {"sorted_indices": False},
            {"a": whole((4, 3, 5)), "b": whole((3, 5, 2)), "lhs_indices": i}
            | ({} if j is None else {"rhs_indices": j}), note=note)
c.error("gather_mm", {"sorted_indices": False},
        {"a": whole((4, 3, 5)), "b": whole((3, 5, 2)), "lhs_indices": u32([4]), "rhs_indices": u32([0])},
        error="runtime_error", note="the fifth of four, by hand: undefined upstream")


def segmented(a, b, s, terms=0, note=""):
    flat = np.asarray(s).reshape(-1, 2).astype(np.int64)
    y = [np.matmul(wide(a)[:, i:j], wide(b)[i:j]) if j > i else np.zeros((a.shape[0], b.shape[1])) for i, j in flat]
    y = np.array(y).reshape(np.asarray(s).shape[:-1] + (a.shape[0], b.shape[1]))
    return add("segmented_mm", {}, {"a": a, "b": b, "segments": s}, y, a.dtype, terms, note)


segmented(whole((2, 6)), whole((6, 3)), u32([[0, 2], [2, 6], [3, 3], [5, 1]]), note="an end at or before its beginning")
segmented(whole((2, 6)), whole((6, 3)), np.int32([[[0, 6], [1, 4]], [[1, 4], [6, 6]]]), note="a grid of segments")
segmented(whole((2, 6)), whole((6, 3)), u32([[0, 0], [0, 0], [0, 5], [5, 5], [5, 6], [6, 6]]), note="empty ones")
segmented(whole((2, 6)), whole((6, 3)), np.zeros((0, 2), u32), note="none")
for t in (np.float16, BF16, np.float32, np.float64):
    segmented(real((3, 40), t), real((40, 4), t), u32([[0, 17], [17, 40]]), terms=23, note="uneven parts")
c.error("segmented_mm", {}, {"a": whole((2, 6)), "b": whole((6, 3)), "segments": np.float32([[0, 2]])},
        note="no number")
c.error("segmented_mm", {}, {"a": whole((1, 2, 6)), "b": whole((6, 3)), "segments": u32([[0, 2]])}, note="a batch")
c.error("segmented_mm", {}, {"a": whole((2, 6)), "b": whole((6, 3)), "segments": u32([[0, 7]])}, error="runtime_error",
        note="an end behind the last term, by hand: undefined upstream")


def spread(mask, rows, columns, size):
    full = np.repeat(np.repeat(mask, size, -2), size, -1)
    return full[..., :rows, :columns]


def blocks(a, b, size, out=None, lhs=None, rhs=None, terms=0, note=""):
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    both = all(x is None or x.dtype == bool for x in (lhs, rhs))

    def masked(x, mask, rows, columns, clears):
        x = np.broadcast_to(x, batch + (rows, columns))
        if mask is None:
            return x
        grid = batch + ((rows + size - 1) // size, (columns + size - 1) // size)
        full = spread(np.broadcast_to(mask, grid), rows, columns, size)
        return np.where(full, x, 0) if clears else x * wide(full.astype(a.dtype))

    with np.errstate(all="ignore"):
        y = np.matmul(masked(wide(a), lhs, m, k, both), masked(wide(b), rhs, k, n, both))
        y = masked(y, out, m, n, out is None or out.dtype == bool)
    return add("block_masked_mm", {"block_size": size},
               {"a": a, "b": b, "mask_out": out, "mask_lhs": lhs, "mask_rhs": rhs}, y, a.dtype, terms, note)


flags = lambda *shape: rng.integers(0, 2, shape).astype(bool)  # noqa: E731
ones = lambda *shape: np.ones(shape, np.float32)  # noqa: E731
blocks(ones(33, 1), ones(1, 33), 32, out=np.array([[1, 0], [0, 1]], bool), note="partial blocks at the edge")
blocks(ones(33, 1), ones(1, 33), 32, out=np.float32([[2, 0], [3, -1]]), note="numbers multiply")
blocks(whole((20, 33)), whole((33, 9)), 32, lhs=flags(1, 2), rhs=flags(2, 1), note="bool masks of the operands")
blocks(whole((20, 33)), whole((33, 9)), 32, lhs=flags(1, 2), note="one of them alone")
blocks(whole((20, 33)), whole((33, 9)), 32, lhs=flags(1, 2), rhs=whole((2, 1)), note="bool beside a number")
blocks(np.full((9, 33), np.nan, np.float32), whole((33, 5)), 32, out=np.zeros((1, 1), bool),
       note="what is cleared is gone")
blocks(np.full((9, 33), np.inf, np.float32), whole((33, 5)), 32, lhs=np.zeros((1, 2), bool),
       note="before the product too")
blocks(np.full((9, 33), np.nan, np.float32), whole((33, 5)), 32, out=np.zeros((1, 1), np.float32), note="0 times NaN")
sums = np.array([[[1, 0], [1, 1]], [[0, 1], [1, 1]]], bool)
blocks(ones(34, 34), np.ones((2, 34, 3), np.float32), 32, lhs=sums, note="one a, a mask for each of the batch")
blocks(whole((2, 1, 9, 33)), whole((3, 33, 5)), 32, out=flags(2, 3, 1, 1), lhs=flags(2, 1, 1, 2),
       note="batches broadcast")
for t in (np.float16, BF16, np.float32, np.float64):
    blocks(real((9, 35), t), real((35, 7), t), 32, out=real((1, 1), t), lhs=real((1, 2), t), rhs=real((2, 1), t),
           terms=36, note="numbers everywhere")
blocks(whole((9, 5)), whole((5, 4)), 16, note="no mask is a product, of any block size")
for size, shape, note in ((16, (1, 2), "a block size of 16"), (32, (2, 2), "blocks that there are not"),
                          (32, (2, 1, 2), "a mask would enlarge the batch")):
    c.error("block_masked_mm", {"block_size": size},
            {"a": whole((20, 33)), "b": whole((33, 9)), "mask_lhs": flags(*shape)}, note=note)

c.save()
