"""Creation, shapes and indices by NumPy."""
import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from plumb_adapter import DTYPES, Fail
from numpy_types import BF16, F32, HALVES, as_type, axes, constant, index, promoted


def type_of(a, otherwise="f32"):
    return DTYPES[a["dtype"] or otherwise]


def arange(a):
    whole = all(isinstance(a[k], int) for k in ("start", "stop", "step") if a[k] is not None)
    t = type_of(a, "i32" if whole else "f32")
    if whole and not a["dtype"] and max(map(abs, (a["start"], a["stop"] or 0, a["step"]))) >= 1 << 31:
        t = DTYPES["i64"]
    ends = (a["start"],) if a["stop"] is None else (a["start"], a["stop"])
    return np.arange(*ends, step=a["step"], dtype=np.float64 if t == BF16 else t).astype(t)


def linspace(a):
    t = type_of(a)
    return np.linspace(a["start"], a["stop"], a["num"], a["endpoint"], dtype=np.float64).astype(t)


def window(f):
    return lambda a: f(a["M"]).astype(F32)


def padded(a, x):
    width = np.reshape(a["pad_width"], -1)
    if width.size not in (1, 2):
        width = width.reshape(-1, 2)
    if a["mode"] == "constant":
        return np.pad(x, width, constant_values=constant(a["value"], x.dtype))
    return np.pad(x, width, a["mode"])


def strided(a, x):
    """NumPy's as_strided looks at no bounds: the line it is given decides."""
    line = np.ascontiguousarray(x).reshape(-1)
    shape = x.shape if a["shape"] is None else a["shape"]
    steps = np.empty(shape, np.int8).strides if a["strides"] is None else a["strides"]
    if 0 in shape:
        return np.empty(shape, x.dtype)
    ends = [(n - 1) * s for n, s in zip(shape, steps)]
    low, high = (a["offset"] + sum(e for e in ends if e * sign > 0) for sign in (-1, 1))
    if low < 0 or high >= line.size:
        raise Fail("shape", "an element outside, which NumPy does not check")
    return as_strided(line[a["offset"]:], shape, [s * x.itemsize for s in steps])


def view(a, x):
    return np.array(x, order="C").view(DTYPES[a["dtype"]])


def flatten(a, x):
    first, last = (max(k + x.ndim, 0) if k < 0 else min(k, x.ndim - 1) for k in (a["start_axis"], a["end_axis"]))
    return x.reshape(-1) if not x.ndim else x.reshape(x.shape[:first] + (-1,) + x.shape[last + 1:])


def unflatten(a, x):
    axis = a["axis"] % x.ndim
    return x.reshape(x.shape[:axis] + tuple(a["shape"]) + x.shape[axis + 1:])


def split(a, x):
    sections = a["sections"]
    n = x.shape[a["axis"]]
    if isinstance(sections, list):  # NumPy takes a negative point beyond the front for one from the end again
        sections = [max(p + n, 0) if p < 0 else p for p in sections]
    return np.split(x, sections, a["axis"])


# Indices and windows.

def bounds(a):
    strides = a["strides"] or [None] * len(a["start"])
    return tuple(slice(*b) for b in zip(a["start"], a["stop"], strides))


def changed(x):
    """A copy to be written, in f32 of halves where more than one number is added."""
    return np.array(x.astype(F32) if x.dtype in HALVES else x)


def update(f):
    """f(old, new) in a slice; f None: the new ones."""
    def updated(a, x, u):
        out = np.array(x)
        place = out[bounds(a) or ...]
        u = as_type(u, x.dtype)
        place[...] = u if f is None else f(place, u)
        return out
    return updated


def window_at(a, x, sizes, start):
    """The windows of x of the sizes, a view, and the place of the one at start."""
    place = [0] * x.ndim
    for axis, at in zip(a["axes"], np.reshape(start, -1)):
        place[axis] = int(at)
    return sliding_window_view(x, sizes, writeable=True), tuple(place)


def slice_dynamic(a, x, start):
    windows, place = window_at(a, np.array(x), a["slice_size"], start)
    return windows[place]


def slice_update_dynamic(a, x, u, start):
    out = np.array(x)
    before = [1 if d in a["axes"] else n for d, n in enumerate(x.shape[:x.ndim - u.ndim])]
    windows, place = window_at(a, out, (*before, *u.shape), start)
    windows[place][...] = as_type(u, x.dtype)
    return out


def places(a, x, sizes, indices):
    """Windows of x, and where the arrays of indices find theirs."""
    where = [0] * x.ndim
    for axis, i in zip(a["axes"], (i for i in indices if i is not None)):
        where[axis] = index(i)
    return sliding_window_view(x, sizes, writeable=True), tuple(where)


def gather(a, x, *indices):
    windows, where = places(a, np.array(x), a["slice_sizes"], indices)
    return windows[where]


def scatter(f):
    """f.at(windows, indices, updates), or the updates themselves."""
    def scattered(a, x, updates, *indices):
        out = np.array(x) if f is None else changed(x)
        windows, where = places(a, out, updates.shape[updates.ndim - x.ndim:], indices)
        updates = as_type(updates, x.dtype).astype(out.dtype)
        if f is None:
            windows[where] = updates
        else:
            f.at(windows, where, updates)
        return out.astype(x.dtype)
    return scattered


def put(f):
    """put_along_axis, or the same with f.at."""
    def written(a, x, i, values):
        out = np.array(x) if f is None else changed(x)
        line, axis = (out.reshape(-1), 0) if a["axis"] is None else (out, a["axis"])
        values = as_type(values, x.dtype).astype(out.dtype)
        if f is None:
            np.put_along_axis(line, index(i), values, axis)
        else:
            where = [np.arange(n).reshape([-1 if d == k else 1 for k in range(line.ndim)])
                     for d, n in enumerate(line.shape)]
            where[axis] = index(i)
            f.at(line, tuple(where), values)
        return out.astype(x.dtype)
    return written


def masked_scatter(a, x, mask, values):
    out = np.array(x)
    values = as_type(values, x.dtype)
    out[mask] = values[:np.count_nonzero(mask)] if values.ndim == x.ndim - mask.ndim + 1 else values
    return out


OPS = {
    "arange": arange,
    "linspace": linspace,
    "bartlett": window(np.bartlett),
    "hanning": window(np.hanning),
    "hamming": window(np.hamming),
    "blackman": window(np.blackman),
    "full": lambda a, x: np.full(a["shape"], x),
    "eye": lambda a: np.eye(a["n"], a["m"], a["k"], type_of(a)),
    "identity": lambda a: np.identity(a["n"], type_of(a)),
    "tri": lambda a: np.tri(a["n"], a["m"], a["k"], type_of(a)),
    "meshgrid": lambda a, x, y: np.meshgrid(x, y, sparse=a["sparse"], indexing=a["indexing"]),
    "fftshift": lambda a, x: np.fft.fftshift(x, axes(a["axes"])),
    "ifftshift": lambda a, x: np.fft.ifftshift(x, axes(a["axes"])),
    "fftfreq": lambda a: np.fft.fftfreq(a["n"], a["d"]).astype(F32),
    "rfftfreq": lambda a: np.fft.rfftfreq(a["n"], a["d"]).astype(F32),
    "reshape": lambda a, x: np.reshape(x, a["shape"]),
    "flatten": flatten,
    "unflatten": unflatten,
    "squeeze": lambda a, x: np.squeeze(x, axes(a["axis"])),
    "expand_dims": lambda a, x: np.expand_dims(x, axes(a["axis"])),
    "atleast_1d": lambda a, x: np.atleast_1d(x),
    "atleast_2d": lambda a, x: np.atleast_2d(x),
    "atleast_3d": lambda a, x: np.atleast_3d(x),
    "contiguous": lambda a, x: np.ascontiguousarray(x).reshape(x.shape),
    "view": view,
    "transpose": lambda a, x: np.transpose(x, a["axes"]),
    "matrix_transpose": lambda a, x: np.matrix_transpose(x),
    "swapaxes": lambda a, x: np.swapaxes(x, a["axis1"], a["axis2"]),
    "moveaxis": lambda a, x: np.moveaxis(x, a["source"], a["destination"]),
    "broadcast_to": lambda a, x: np.broadcast_to(x, a["shape"]),
    "flip": lambda a, x: np.flip(x, axes(a["axis"])),
    "as_strided": strided,
    "diagonal": lambda a, x: np.diagonal(x, a["offset"], a["axis1"], a["axis2"]),
    "concatenate": lambda a, *x: np.concatenate(promoted(*(v for v in x if v is not None)), a["axis"]),
    "stack": lambda a, *x: np.stack(promoted(*(v for v in x if v is not None)), a["axis"]),
    "split": split,
    "unstack": lambda a, x: np.unstack(x, axis=a["axis"]),
    "repeat": lambda a, x: np.repeat(x, a["repeats"], a["axis"]),
    "tile": lambda a, x: np.tile(x, a["reps"]),
    "roll": lambda a, x: np.roll(x, axes(a["shift"]), axes(a["axis"])),
    "pad": padded,
    "tril": lambda a, x: np.tril(x, a["k"]),
    "triu": lambda a, x: np.triu(x, a["k"]),
    "diag": lambda a, x: np.diag(x, a["k"]),
    "take": lambda a, x, i: np.take(x, index(i), a["axis"]),
    "take_scalar": lambda a, x: np.asarray(np.take(x, a["index"], a["axis"])),
    "take_along_axis": lambda a, x, i: np.take_along_axis(x, index(i), a["axis"]),
    "gather": gather,
    "slice": lambda a, x: x[bounds(a) or ...],
    "slice_update": update(None),
    "slice_update_add": update(np.add),
    "slice_update_subtract": update(np.subtract),
    "slice_update_divide": update(np.divide),
    "slice_update_prod": update(np.multiply),
    "slice_update_max": update(np.maximum),
    "slice_update_min": update(np.minimum),
    "slice_dynamic": slice_dynamic,
    "slice_update_dynamic": slice_update_dynamic,
    "put_along_axis": put(None),
    "scatter_add_axis": put(np.add),
    "masked_scatter": masked_scatter,
    "scatter": scatter(None),
    "scatter_add": scatter(np.add),
    "scatter_subtract": scatter(np.subtract),
    "scatter_divide": scatter(np.divide),
    "scatter_prod": scatter(np.multiply),
    "scatter_max": scatter(np.maximum),
    "scatter_min": scatter(np.minimum),
}
