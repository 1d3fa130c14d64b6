"""MLX and its nn.

    plumb check --backend 'cmd:python3 adapters/mlx_adapter.py'

Operations of sparse lattices belong to other libraries; random numbers are asked for with explicit keys.
"""
import math

import mlx.core as mx
import mlx.nn as nn
import ml_dtypes
import numpy as np
from numpy.lib.stride_tricks import as_strided
import plumb_adapter
from plumb_adapter import Fail

BF16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {"bool": mx.bool_, "u8": mx.uint8, "u16": mx.uint16, "u32": mx.uint32, "u64": mx.uint64, "i8": mx.int8,
          "i16": mx.int16, "i32": mx.int32, "i64": mx.int64, "f16": mx.float16, "bf16": mx.bfloat16, "f32": mx.float32,
          "f64": mx.float64, "c64": mx.complex64}


def of_numpy(x):
    if x.dtype == BF16:
        return mx.array(x.view(np.uint16)).view(mx.bfloat16)
    return mx.array(x, dtype=mx.float64) if x.dtype == np.float64 else mx.array(x)


def load(view):
    """The array with the strides that the judge chose, so that MLX reads a view where the judge has one."""
    if view.size == 0 or view.flags.c_contiguous:
        return of_numpy(view)
    steps = [s // view.itemsize for s in view.strides]
    ends = [(n - 1) * s for n, s in zip(view.shape, steps)]
    lowest = view[tuple(slice(None, None, -1 if s < 0 else 1) for s in steps)]
    line = as_strided(lowest, (1 + sum(map(abs, ends)),), (view.itemsize,), writeable=False)
    return mx.as_strided(of_numpy(line), view.shape, steps, -sum(e for e in ends if e < 0))


def store(x):
    x = x if isinstance(x, mx.array) else mx.array(x)
    mx.eval(x)
    return np.array(x.view(mx.uint16)).view(BF16) if x.dtype == mx.bfloat16 else np.array(x)


def named(a, *names):
    """Attributes under their own names, as keyword arguments."""
    return {name: a[name] for name in names}


def dtype(a, name="dtype"):
    """The attribute as a keyword argument, where it is given."""
    return {name: DTYPES[a[name]]} if a[name] else {}


def given(**values):
    return {name: x for name, x in values.items() if x is not None}


def plain(f):
    return lambda a, *x: f(*x)


def with_names(f, *names):
    return lambda a, *x: f(*x, **named(a, *names))


def several(f):
    """A function of a list of arrays, of which the row lists up to eight."""
    return lambda a, *x: f([v for v in x if v is not None], axis=a["axis"])


def scanned(f):
    return lambda a, x: f(x, **named(a, "axis", "reverse", "inclusive"), **(dtype(a) if "dtype" in a else {}))


def of_numbers(f):
    """Activations of nn are called with their parameters by name."""
    return lambda a, x: f(x, **a)


def with_all(f):
    return lambda a, *x: f(*x, **a)


def pool(layer):
    return lambda a, x: layer(a["kernel_size"], a["stride"], a["padding"])(x)


def pulled_back(f, *places):
    """The gradients of f(a, *inputs) at the given places, by MLX's vjp; the cotangent is the last input."""
    def gradient(a, *x):
        *x, cotangent = x

        def of_places(*some):
            full = list(x)
            for place, value in zip(places, some):
                full[place] = value
            return f(a, *full)
        return mx.vjp(of_places, [x[p] for p in places], [cotangent])[1]
    return gradient


def conv(f, *names):
    """In one dimension MLX takes numbers, not lists of one."""
    def convolved(a, x, w):
        own = {n: a[n][0] if x.ndim == 3 and isinstance(a[n], list) and len(a[n]) == 1 else a[n] for n in names}
        return f(x, w, **own)
    return convolved


def conv_general(a, x, w):
    padding = a["padding"]
    rank = x.ndim - 2
    if isinstance(padding, list) and len(padding) == 2 * rank:
        padding = (padding[:rank], padding[rank:])
    return mx.conv_general(x, w, padding=padding, **named(a, "stride", "kernel_dilation", "input_dilation", "groups",
                                                          "flip"))


def pairs(width):
    width = width if isinstance(width, list) else [width]
    return width[0] if len(width) == 1 else tuple(width) if len(width) == 2 else list(zip(width[::2], width[1::2]))


# MLX looks at no index: one outside would reach other memory, and is not asked for.

def inside(i, n, lowest=None):
    values = np.array(i)
    if values.size and not ((-n if lowest is None else lowest) <= int(values.min()) and int(values.max()) < n):
        raise Fail("domain", "an index outside, which MLX does not check")


def of_classes(loss):
    """Targets of one axis less are indices."""
    def f(a, x, targets, *more):
        if targets.ndim < x.ndim:
            inside(targets, x.shape[a["axis"]])
        return loss(x, targets, *more, **a)
    return f


def finite(x):
    """LAPACK is given what is finite."""
    if not bool(mx.all(mx.isfinite(x))):
        raise Fail("domain", "not finite, which MLX does not check")
    return x


def indexed(f):
    """f(x, indices, ..), with an axis, of the flattened array if it is none."""
    def checked(a, x, i, *more):
        if a["axis"] is None or -x.ndim <= a["axis"] < x.ndim:
            inside(i, x.size if a["axis"] is None else x.shape[a["axis"]])
        return f(x, i, *more, axis=a["axis"])
    return checked


def at_start(f):
    def checked(a, x, *more):
        *_, start = more
        if len(more) == 2 and more[0].ndim > x.ndim:
            raise Fail("rank", "an update of more axes, which MLX does not check")
        sizes = a["slice_size"] if "slice_size" in a else [1] * (x.ndim - more[0].ndim) + list(more[0].shape)
        for axis, at in zip(a["axes"], np.array(start).reshape(-1)):
            inside(at, x.shape[axis] - sizes[axis] + 1, 0)
        return f(a, x, *more)
    return checked


def norm(a, x):
    singular = x.ndim > 1 and a["ord"] in (2, -2, "nuc")
    return mx.linalg.norm(finite(x) if singular else x, a["ord"], a["axis"], a["keepdims"])


def segmented_mm(a, x, y, segments):
    inside(segments, x.shape[-1] + 1, 0)
    return mx.segmented_mm(x, y, segments)


def tensordot(a, x, y):
    meet = a["axes"]
    return mx.tensordot(x, y, np.reshape(meet, (2, -1)).tolist() if isinstance(meet, list) else meet)


def strided(a, x):
    shape = x.shape if a["shape"] is None else a["shape"]
    steps = np.empty(shape, np.int8).strides if a["strides"] is None else a["strides"]
    ends = [(n - 1) * s for n, s in zip(shape, steps)]
    if 0 not in shape:
        for end in (sum(e for e in ends if e < 0), sum(e for e in ends if e > 0)):
            inside(a["offset"] + end, x.size, 0)
    return mx.as_strided(x, shape, steps, a["offset"])


def matrices(x):
    return math.prod(x.shape[:-2])


# Indices: Python's brackets, on the array with the indexed axes first.

def fronted(a, x):
    order = [k % x.ndim for k in a["axes"]]
    order += [d for d in range(x.ndim) if d not in order]
    return x.transpose(order), order


def indices(front, where):
    where = tuple(i for i in where if i is not None)
    for n, i in zip(front.shape, where):
        inside(i, n)
    return where if where else (...,)


def gather(a, x, *where):
    front, _ = fronted(a, x)
    found = front[indices(front, where)]
    rank = found.ndim - x.ndim + len(a["axes"])
    return found.reshape(*found.shape[:rank], *a["slice_sizes"])


def scatter(change):
    def scattered(a, x, updates, *where):
        front, order = fronted(a, x)
        place = indices(front, where)
        rank = updates.ndim - x.ndim
        updates = updates.reshape(*updates.shape[:rank], *(x.shape[d] for d in order[len(a["axes"]):]))
        return change(front, place, updates).transpose([order.index(d) for d in range(x.ndim)])
    return scattered


def replaced(x, place, updates):
    x = mx.array(x)
    x[place] = updates.astype(x.dtype)
    return x


def bounds(a):
    strides = a["strides"] or [None] * len(a["start"])
    if 0 in strides:
        raise Fail("shape", "a stride of 0, which MLX does not check")
    return tuple(slice(*b) for b in zip(a["start"], a["stop"], strides)) or (...,)


def updated(change):
    return lambda a, x, u: change(x, bounds(a), u.astype(x.dtype))


ADDED = {"add": lambda x, place, u: x.at[place].add(u), "prod": lambda x, place, u: x.at[place].multiply(u),
         "subtract": lambda x, place, u: x.at[place].subtract(u), "divide": lambda x, place, u: x.at[place].divide(u),
         "max": lambda x, place, u: x.at[place].maximum(u), "min": lambda x, place, u: x.at[place].minimum(u)}


def scatter_add_axis(a, x, i, values):
    line = x.reshape(-1) if a["axis"] is None else x
    axis = 0 if a["axis"] is None else a["axis"] % x.ndim
    where = [mx.arange(n).reshape([-1 if d == k else 1 for k in range(line.ndim)]) for d, n in enumerate(line.shape)]
    where[axis] = i
    inside(i, line.shape[axis])
    return line.at[tuple(where)].add(values.astype(x.dtype)).reshape(x.shape)


def masked_scatter(a, x, mask, values):
    rows = values.shape[0] if values.ndim == x.ndim - mask.ndim + 1 else None
    if rows is not None and rows < int(mx.sum(mask)):
        raise Fail("shape", "fewer values than places, which MLX does not check")
    x = mx.array(x)
    x[mask] = values.astype(x.dtype)
    return x


def unique(a, x):
    return mx.unique(x, x.size if a["size"] is None else a["size"], True, True, True, fill_value=a["fill_value"])


# Transforms, random numbers, fast and quantized operations.

def fft(f):
    return with_names(f, "n", "axis", "norm")


def fft_many(f):
    return lambda a, x: f(x, a["s"], **given(axes=a["axes"]), norm=a["norm"])


def stft(a, x, window=None):
    return mx.fft.stft(x, window=window, **given(onesided=a["onesided"]),
                       **named(a, "n_fft", "hop_length", "win_length", "center", "norm", "pad_mode"))


def istft(a, x, window=None):
    return mx.fft.istft(x, window=window, **given(onesided=a["onesided"]),
                        **named(a, "n_fft", "hop_length", "win_length", "center", "norm", "length"))


def drawn(f, *names):
    """The key is the last input, what comes before it are bounds."""
    def draw(a, *x):
        return f(*x[:-1], key=x[-1], **named(a, *names), **(dtype(a) if "dtype" in a else {}))
    return draw


def uniform(a, low=None, high=None, key=None):
    ends = 0 if low is None else low, 1 if high is None else high
    return mx.random.uniform(*ends, a["shape"], DTYPES[a["dtype"]], key)


def normal(a, key, loc=None, scale=None):
    return mx.random.normal(a["shape"], DTYPES[a["dtype"]], loc, scale, key)


def rope(a, x, offset=None, freqs=None):
    start = offset if offset is not None else a["offset"] or 0
    return mx.fast.rope(x, a["dims"], **named(a, "traditional", "base", "scale"), offset=start, freqs=freqs)


def attention(a, q, k, v, mask=None, sinks=None):
    scale = 1 / math.sqrt(q.shape[-1]) if a["scale"] is None else a["scale"]
    return mx.fast.scaled_dot_product_attention(q, k, v, scale=scale, sinks=sinks,
                                                mask=mask if mask is not None else a["mask_mode"] or None)


def groups(a):
    return named(a, "group_size", "bits", "mode")


def dequantize(a, w, scales, biases=None, global_scale=None):
    return mx.dequantize(w, scales, biases, **groups(a), **given(global_scale=global_scale), **dtype(a))


def gather_mm(a, x, y, left=None, right=None):
    for operand, i in ((x, left), (y, right)):
        if i is not None:
            inside(i, matrices(operand), 0)
    return mx.gather_mm(x, y, left, right, sorted_indices=a["sorted_indices"])


def block_masked_mm(a, x, y, out=None, left=None, right=None):
    return mx.block_masked_mm(x, y, a["block_size"], out, left, right)


def quantized_matmul(a, x, w, scales, biases=None):
    return mx.quantized_matmul(x, w, scales, biases, a["transpose"], **groups(a))


def gather_qmm(a, x, w, scales, biases=None, left=None, right=None):
    for operand, i in ((x, left), (w, right)):
        if i is not None:
            inside(i, matrices(operand), 0)
    return mx.gather_qmm(x, w, scales, biases, left, right, a["transpose"], **groups(a),
                         sorted_indices=a["sorted_indices"])


SAME = ("add", "reciprocal", "square", "abs", "negative", "sign", "conjugate", "real", "imag", "floor", "ceil", "isnan",
        "isinf", "isfinite", "isposinf", "isneginf", "logical_not", "bitwise_invert", "sqrt", "rsqrt", "exp", "expm1",
        "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
        "arcsinh", "arccosh", "arctanh", "erf", "erfinv", "sigmoid", "degrees", "radians", "divmod", "subtract",
        "multiply", "divide", "maximum", "minimum", "floor_divide", "remainder", "power", "logaddexp", "arctan2",
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
        "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "where", "trunc",
        "matmul", "outer", "kron", "inner", "matrix_transpose", "atleast_1d", "atleast_2d",
        "atleast_3d", "to_fp8")
LINALG = ("qr", "lu", "lu_factor", "inv", "solve", "det", "slogdet")
OVER_AXES = ("sum", "prod", "max", "min", "minmax", "all", "any", "argmax", "argmin", "mean", "median", "logsumexp")
SCANS = ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp")
NN = ("relu", "relu6", "relu2", "leaky_relu", "hard_tanh", "hard_shrink", "softshrink", "softsign", "hardswish", "silu",
      "softplus", "log_sigmoid", "mish", "elu", "celu", "selu", "gelu", "gelu_approx", "gelu_fast_approx")
LOSSES = ("cross_entropy", "binary_cross_entropy", "l1_loss", "mse_loss", "nll_loss", "gaussian_nll_loss",
          "kl_div_loss", "smooth_l1_loss", "triplet_loss", "hinge_loss", "huber_loss", "log_cosh_loss",
          "cosine_similarity_loss", "margin_ranking_loss")
LINES = ("fft", "ifft", "rfft", "irfft")

# Attributes that are keyword arguments under the same names.
NAMED = {"softmax": ("axis", "precise"), "sort": ("axis",), "argsort": ("axis",), "partition": ("kth", "axis"),
         "argpartition": ("kth", "axis"), "topk": ("k", "axis"), "searchsorted": ("side",),
         "squeeze": ("axis",), "expand_dims": ("axis",),
         "flatten": ("start_axis", "end_axis"), "unflatten": ("axis", "shape"), "reshape": ("shape",),
         "swapaxes": ("axis1", "axis2"), "moveaxis": ("source", "destination"), "broadcast_to": ("shape",),
         "diagonal": ("offset", "axis1", "axis2"), "repeat": ("repeats", "axis"),
         "roll": ("shift", "axis"), "tril": ("k",), "triu": ("k",), "diag": ("k",), "unstack": ("axis",),
         "contiguous": ("allow_col_major",), "round": ("decimals",), "nan_to_num": ("nan", "posinf", "neginf"),
         "isclose": ("rtol", "atol", "equal_nan"), "allclose": ("rtol", "atol", "equal_nan"),
         "array_equal": ("equal_nan",), "diff": ("n", "axis"), "convolve": ("mode",),
         "vecdot": ("axis",), "addmm": ("alpha", "beta"), "meshgrid": ("sparse", "indexing")}

OPS = {
    **{name: plain(getattr(mx, name)) for name in SAME},
    **{name: plain(getattr(mx.linalg, name)) for name in LINALG},
    **{name: with_names(getattr(mx, name), "axis", "keepdims") for name in OVER_AXES},
    **{name: with_names(getattr(mx, name), *names) for name, names in NAMED.items()},
    **{name: scanned(getattr(mx, name)) for name in SCANS},
    **{name: of_numbers(getattr(nn, name)) for name in NN},
    **{name: with_all(getattr(nn.losses, name)) for name in LOSSES},
    **{name: of_classes(getattr(nn.losses, name)) for name in ("cross_entropy", "nll_loss")},
    **{name: fft(getattr(mx.fft, name)) for name in LINES},
    **{name + more: fft_many(getattr(mx.fft, name + more)) for name in LINES for more in ("2", "n")},
    **{f"dense_conv{d}d": conv(getattr(mx, f"conv{d}d"), "stride", "padding", "dilation", "groups")
       for d in (1, 2, 3)},
    **{f"dense_conv_transpose{d}d": conv(getattr(mx, f"conv_transpose{d}d"), "stride", "padding", "dilation",
                                         "output_padding", "groups") for d in (1, 2, 3)},
    **{f"dense_max_pool{d}d": pool(getattr(nn, f"MaxPool{d}d")) for d in (1, 2, 3)},
    **{f"dense_avg_pool{d}d": pool(getattr(nn, f"AvgPool{d}d")) for d in (1, 2, 3)},
    **{f"dense_max_pool{d}d_vjp": pulled_back(pool(getattr(nn, f"MaxPool{d}d")), 0) for d in (1, 2, 3)},
    **{f"dense_avg_pool{d}d_vjp": pulled_back(pool(getattr(nn, f"AvgPool{d}d")), 0) for d in (1, 2, 3)},
    **{f"scatter_{kind}": scatter(f) for kind, f in ADDED.items()},
    **{f"slice_update_{kind}": updated(f) for kind, f in ADDED.items()},
    "dense_conv_general": conv_general,
    "conv_input_vjp": pulled_back(conv_general, 0),
    "conv_weight_vjp": pulled_back(conv_general, 1),
    "astype": lambda a, x: x.astype(DTYPES[a["dtype"]]),
    "from_fp8": lambda a, x: mx.from_fp8(x, **dtype(a)),
    "view": lambda a, x: x.view(DTYPES[a["dtype"]]),
    "var": lambda a, x: mx.var(x, **named(a, "axis", "keepdims", "ddof", "correction")),
    "std": lambda a, x: mx.std(x, **named(a, "axis", "keepdims", "ddof", "correction")),
    "count_nonzero": lambda a, x: mx.count_nonzero(x, **named(a, "axis", "keepdims")),
    "clip": lambda a, x, low=None, high=None: mx.clip(x, low, high),
    "trace": lambda a, x: mx.trace(x, **named(a, "offset", "axis1", "axis2"), **dtype(a)),
    "hadamard_transform": lambda a, x: mx.hadamard_transform(x, a["scale"]),
    "unique": unique,
    "arange": lambda a: mx.arange(a["start"], a["stop"], a["step"], **dtype(a)) if a["stop"] is not None else mx.arange(
        a["start"], step=a["step"], **dtype(a)),
    "linspace": lambda a: mx.linspace(a["start"], a["stop"], a["num"], endpoint=a["endpoint"], **dtype(a)),
    **{name: (lambda f: lambda a: f(a["M"]))(getattr(mx, name)) for name in ("bartlett", "hanning", "hamming",
                                                                          "blackman")},
    "full": lambda a, x: mx.full(a["shape"], x),
    "eye": lambda a: mx.eye(a["n"], a["m"], a["k"], **dtype(a)),
    "identity": lambda a: mx.identity(a["n"], **dtype(a)),
    "tri": lambda a: mx.tri(a["n"], a["m"], a["k"], **dtype(a)),
    "fftshift": lambda a, x: mx.fft.fftshift(x, a["axes"]),
    "ifftshift": lambda a, x: mx.fft.ifftshift(x, a["axes"]),
    "fftfreq": lambda a: mx.fft.fftfreq(a["n"], a["d"]),
    "rfftfreq": lambda a: mx.fft.rfftfreq(a["n"], a["d"]),
    "stft": stft,
    "istft": istft,
    **{name: indexed(getattr(mx, name)) for name in ("take", "take_along_axis", "put_along_axis")},
    "take_scalar": lambda a, x: mx.take(x, a["index"], a["axis"]),
    "gather": gather,
    "slice": lambda a, x: x[bounds(a)],
    "slice_update": updated(replaced),
    "slice_dynamic": at_start(lambda a, x, start: mx.slice(x, start, a["axes"], a["slice_size"])),
    "slice_update_dynamic": at_start(lambda a, x, u, start: mx.slice_update(x, u, start, a["axes"])),
    "scatter": scatter(replaced),
    "scatter_add_axis": scatter_add_axis,
    "masked_scatter": masked_scatter,
    "transpose": lambda a, x: mx.transpose(x, a["axes"]),
    "flip": lambda a, x: mx.flip(x, a["axis"]),
    "concatenate": several(mx.concatenate),
    "stack": several(mx.stack),
    "split": lambda a, x: mx.split(x, a["sections"], a["axis"]),
    "pad": lambda a, x: mx.pad(x, pairs(a["pad_width"]), a["mode"], a["value"]),
    "key": lambda a: mx.random.key(int(a["seed"])),
    "random_split": lambda a, key: mx.random.split(key, a["num"]),
    "uniform": uniform,
    "bernoulli": drawn(mx.random.bernoulli, "shape"),
    "randint": drawn(mx.random.randint, "shape"),
    "normal": normal,
    "laplace": drawn(mx.random.laplace, "shape", "loc", "scale"),
    "gumbel": drawn(mx.random.gumbel, "shape"),
    "truncated_normal": drawn(mx.random.truncated_normal, "shape"),
    "permutation_n": lambda a, key: mx.random.permutation(a["n"], key=key),
    "permutation": drawn(mx.random.permutation, "axis"),
    "multivariate_normal": lambda a, m, c, key: mx.random.multivariate_normal(
        m, c, a["shape"] or [], DTYPES[a["dtype"]], key),
    "categorical": drawn(mx.random.categorical, "axis", "shape", "num_samples"),
    "einsum": lambda a, *x: mx.einsum(a["subscripts"], *(v for v in x if v is not None)),
    "norm": norm,
    "cross": lambda a, x, y: mx.linalg.cross(x, y, a["axis"]),
    "cholesky": lambda a, x: mx.linalg.cholesky(x, a["upper"]),
    "cholesky_inv": lambda a, x: mx.linalg.cholesky_inv(x, a["upper"]),
    "tri_inv": lambda a, x: mx.linalg.tri_inv(x, a["upper"]),
    "solve_triangular": lambda a, x, b: mx.linalg.solve_triangular(x, b, upper=a["upper"]),
    "eig": lambda a, x: mx.linalg.eig(finite(x)),
    "eigvals": lambda a, x: mx.linalg.eigvals(finite(x)),
    "segmented_mm": segmented_mm,
    "gather_mm": gather_mm,
    "block_masked_mm": block_masked_mm,
    "as_strided": strided,
    "tensordot": tensordot,
    "tile": lambda a, x: mx.tile(x, a["reps"]),
    "eigh": lambda a, x: mx.linalg.eigh(x, a["uplo"]),
    "eigvalsh": lambda a, x: mx.linalg.eigvalsh(x, a["uplo"]),
    "svd": lambda a, x: mx.linalg.svd(finite(x)),
    "svdvals": lambda a, x: mx.linalg.svd(finite(x), compute_uv=False),
    "pinv": lambda a, x: mx.linalg.pinv(finite(x)),
    "rms_norm": lambda a, x, w=None: mx.fast.rms_norm(x, w, a["eps"]),
    "layer_norm": lambda a, x, w=None, b=None: mx.fast.layer_norm(x, w, b, a["eps"]),
    "rope": rope,
    "scaled_dot_product_attention": attention,
    "gated_delta_update": plain(mx.fast.gated_delta_update),
    "quantize": lambda a, w, g=None: mx.quantize(w, **groups(a), **given(global_scale=g)),
    "dequantize": dequantize,
    "quantized_matmul": quantized_matmul,
    "gather_qmm": gather_qmm,
    "layer_norm_features": lambda a, x, w=None, b=None: mx.fast.layer_norm(x, w, b, a["eps"]),
    "rms_norm_features": lambda a, x, w=None: mx.fast.rms_norm(x, w, a["eps"]),
    "linear": lambda a, x, w, b=None: x @ w.T if b is None else mx.addmm(b, x, w.T),
    "pointwise_projection": lambda a, x, w: x @ w.T,
    "pointwise_projection_vjp": pulled_back(lambda a, x, w: x @ w.T, 0, 1),
}

# Rows that MLX has no function for, and why.
ABSENT = {
    "no function of Python returns the words themselves; random_split does": ["random_bits"],
    "sparse lattices are another library's": ["sparse/*"],
}

REASONS = [(RuntimeError, "error code", "domain"), (RuntimeError, "type", "dtype"), (RuntimeError, "Only", "dtype"),
           (RuntimeError, "only", "dtype"), (OverflowError, "", "memory")]


def refuse_windows(call):
    """Python's brackets take one element on an indexed axis and all of any other one."""
    a, shape = call["attrs"], call["in"][0]["shape"]
    if not a["axes"] or any(t and not t["shape"] for t in call["in"]):
        return "scalars are not asked of MLX's brackets"
    updates = call["in"][1]["shape"] if "slice_sizes" not in a else []
    sizes = a["slice_sizes"] if "slice_sizes" in a else updates[len(updates) - len(shape):]
    want = [1 if d in [k % len(shape) for k in a["axes"]] else n for d, n in enumerate(shape)] if shape else []
    return "" if sizes == want else "windows that MLX's brackets cannot ask for"


def refuse_empty(call):
    """What MLX leaves undefined: the adapter asks for none of it."""
    empty = any(t and 0 in t["shape"] for t in call["in"])
    return "empty operands are not defined in MLX" if empty else ""


def refuse_empty_diagonal(call):
    """As refuse_empty, of a diagonal, which may also lie outside of the matrix."""
    a, shape = call["attrs"], call["in"][0]["shape"]
    if len(shape) < 2 or any(not -len(shape) <= a[axis] < len(shape) for axis in ("axis1", "axis2")):
        return ""
    rows, columns = shape[a["axis1"]], shape[a["axis2"]]
    outside = 0 in shape or not -rows < a["offset"] < columns
    return "empty diagonals are not defined in MLX" if outside else ""


def refuse_all_but(*dtypes):
    def refusal(call):
        others = [t["dtype"] for t in call["in"] if t and t["dtype"] in ("f16", "bf16", "f64", "c64")]
        others = [t for t in others if t not in dtypes]
        return f"MLX has it of {' '.join(dtypes)} alone" if others else ""
    return refusal


def refuse_quotients(*kinds):
    def refusal(call):
        some = any(t["dtype"][0] in kinds and t["dtype"] != "bool" for t in call["in"])
        return "MLX leaves some quotients of whole numbers undefined" if some else ""
    return refusal


def refuse_shift(call):
    shifts = np.reshape(call["attrs"]["shift"], -1).tolist()
    return "shifts have 32 bits in MLX" if any(abs(s) >= 1 << 31 for s in shifts) else ""


UNDEFINED = (*LINALG, "all", "any", "prod", "eig", "eigvals", "eigh", "eigvalsh", "svd", "svdvals", "cholesky",
             "cholesky_inv", "tri_inv", "solve_triangular", "quantize", "dequantize", "quantized_matmul", "gather_qmm",
             "masked_scatter", "pinv", "segmented_mm", "unflatten", "scaled_dot_product_attention", "einsum", "sum",
             "mean", "var", "std", "layer_norm", *LOSSES)
REFUSE = {**{name: refuse_windows for name in ("gather", "scatter", "scatter_add", "scatter_prod", "scatter_max",
                                               "scatter_min", "scatter_subtract", "scatter_divide")},
          **{name: refuse_empty for name in UNDEFINED},
          **{name: refuse_all_but("f16", "bf16", "f32") for name in OPS if "conv" in name or name == "nan_to_num"},
          **{name: refuse_all_but("f32") for name in ("gather_mm", "block_masked_mm")},
          "roll": refuse_shift,
          "trace": refuse_empty_diagonal,
          "divmod": refuse_quotients("u", "i"),
          **{name: refuse_quotients("i") for name in ("floor_divide", "remainder")}}


def refuse(call):
    return REFUSE[call["op"]](call) if call["op"] in REFUSE else ""


if __name__ == "__main__":
    mx.set_default_device(mx.cpu)
    mx.disable_compile()  # activations would wait for a C++ compiler, once for each shape
    plumb_adapter.run("mlx", mx.__version__, OPS, load=load, store=store, reasons=REASONS, refuse=refuse,
                      library=mx.__file__, device="cpu")
