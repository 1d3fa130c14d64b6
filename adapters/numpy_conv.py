"""Convolutions by scipy.signal, of channels last, and pools by NumPy's windows."""
import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view
from numpy_types import promoted_type, wide_type


def sizes(value, rank):
    return tuple(value) if isinstance(value, list) else (value,) * rank


def sides(value, rank):
    """Padding: a number, one for each axis, or a list of both ends."""
    if isinstance(value, list) and len(value) == 2 * rank:
        return list(zip(value[:rank], value[rank:]))
    return [(p, p) for p in sizes(value, rank)]


def apart(x, steps, first):
    """x with its elements so many steps apart on the axes from the first on, zeros between them."""
    shape = list(x.shape)
    for d, s in enumerate(steps):
        shape[first + d] = max((shape[first + d] - 1) * s + 1, 0)
    out = np.zeros(shape, x.dtype)
    out[(slice(None),) * first + tuple(slice(None, None, s) for s in steps)] = x
    return out


def cut(x, ends):
    """Zeros on both ends of the axes after the first, or fewer elements where the number is negative."""
    ends = [(0, 0)] + list(ends) + [(0, 0)]
    x = x[tuple(slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(x.shape, ends))]
    return np.pad(x, [(max(low, 0), max(high, 0)) for low, high in ends])


def correlated(x, w, stride, ends, dilation, input_dilation, groups, flip):
    """A correlation for each picture and each output channel: scipy.signal.correlate over places and channels."""
    t = promoted_type(x, w)
    rank = x.ndim - 2
    x = cut(apart(x.astype(wide_type(t)), input_dilation, 1), ends)
    w = w.astype(wide_type(t))
    if flip:
        w = np.flip(w, range(1, rank + 1))
    w = apart(w, dilation, 1)
    step = tuple(slice(None, None, s) for s in stride)
    channels, filters = w.shape[-1], w.shape[0] // groups
    if x.size == 0 or w.size == 0:
        room = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], w.shape[1:-1], stride)]
        return np.zeros((x.shape[0], *room, w.shape[0]), t)
    out = [[scipy.signal.correlate(picture[..., f // filters * channels:(f // filters + 1) * channels], w[f], "valid",
                                   "direct")[..., 0][step] for f in range(w.shape[0])] for picture in x]
    return np.moveaxis(np.array(out), 1, -1).astype(t)


def conv(a, x, w):
    rank = x.ndim - 2
    return correlated(x, w, sizes(a["stride"], rank), sides(a["padding"], rank), sizes(a["dilation"], rank),
                      (1,) * rank, a["groups"], False)


def conv_general(a, x, w):
    rank = x.ndim - 2
    return correlated(x, w, sizes(a["stride"], rank), sides(a["padding"], rank), sizes(a["kernel_dilation"], rank),
                      sizes(a["input_dilation"], rank), a["groups"], a["flip"])


def conv_transpose(a, x, w):
    rank = x.ndim - 2
    dilation = sizes(a["dilation"], rank)
    reach = [(k - 1) * d for k, d in zip(w.shape[1:-1], dilation)]
    ends = [(r - p, r - p + more) for r, p, more in zip(reach, sizes(a["padding"], rank),
                                                        sizes(a["output_padding"], rank))]
    return correlated(x, w, (1,) * rank, ends, dilation, sizes(a["stride"], rank), a["groups"], True)


def convolve(a, x, v):
    t = promoted_type(x, v)
    return np.convolve(x.astype(wide_type(t)), v.astype(wide_type(t)), a["mode"]).astype(t)


def pool(f, border):
    def pooled(a, x):
        rank = x.ndim - 2
        kernel = sizes(a["kernel_size"], rank)
        stride = kernel if a["stride"] is None else sizes(a["stride"], rank)
        ends = [(0, 0)] + [(p, p) for p in sizes(a["padding"], rank)] + [(0, 0)]
        padded = np.pad(x, ends, constant_values=x.dtype.type(border))
        windows = sliding_window_view(padded, kernel, tuple(range(1, rank + 1)))
        windows = windows[(slice(None),) + tuple(slice(None, None, s) for s in stride)]
        return f(windows.astype(wide_type(x.dtype)), tuple(range(-rank, 0))).astype(x.dtype)
    return pooled


OPS = {
    **{f"dense_conv{d}d": conv for d in (1, 2, 3)},
    **{f"dense_conv_transpose{d}d": conv_transpose for d in (1, 2, 3)},
    **{f"dense_max_pool{d}d": pool(np.max, -np.inf) for d in (1, 2, 3)},
    **{f"dense_avg_pool{d}d": pool(np.mean, 0) for d in (1, 2, 3)},
    "dense_conv_general": conv_general,
    "convolve": convolve,
}
