"""Recorded quantization: MLX on the processor for codes and decoded weights, NumPy in binary64 for products.

    python3 conformance/golden/quant/quant.py     (numpy, mlx, ml_dtypes)

MLX stores scale exponents of mxfp4 and mxfp8 below -127 modulo 256; here they are -127, so those groups are quantized
by NumPy, whose codes of all other groups are held against MLX. Ranges beyond float32 are quantized by MLX at 1/16 of
their size. What becomes of a group that is not finite is this project's own rule, written out by hand.
"""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

SEED = 20261121
MLX = f"mlx {mx.__version__}, CPU"
NUMPY = f"numpy {np.__version__} in binary64"
corpus = Corpus("quant", source=MLX)
rng = np.random.default_rng(SEED)
mx.set_default_device(mx.cpu)

F32, F16, BF16 = np.float32, np.float16, ml_dtypes.bfloat16
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
E2M1 = np.concatenate([E2M1, -E2M1])


def to_mlx(a):
    a = np.asarray(a)
    return mx.array(a.astype(F32)).astype(mx.bfloat16) if a.dtype == BF16 else mx.array(a)


def from_mlx(a):
    return np.array(a.astype(mx.float32)).astype(BF16) if a.dtype == mx.bfloat16 else np.array(a)


def attributes(group, bits, mode="affine"):
    return {"group_size": group, "bits": bits, "mode": mode}


def unpack(words, bits):
    """Codes of the last axis: one bit stream per row, least significant bit first."""
    stream = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=-1, bitorder="little")
    fields = stream.reshape(*words.shape[:-1], -1, bits).astype(np.int64)
    return (fields << np.arange(bits)).sum(-1)


def pack(codes, bits):
    fields = (codes[..., None] >> np.arange(bits) & 1).astype(np.uint8)
    return np.packbits(fields.reshape(*codes.shape[:-1], -1), axis=-1, bitorder="little").view(np.uint32)


def rounded(x, dtype):
    return np.asarray(x, np.float64).astype(dtype).astype(np.float64)


def e4m3(codes):
    e, m = codes >> 3 & 15, codes & 7
    m = np.where(codes & 127 == 127, np.nan, m)
    return np.where(codes & 128, -1, 1) * np.where(e == 0, m * 2.0**-9, (8 + m) * 2.0 ** (e - 10.0))


def e8m0(codes):
    return np.where(codes == 255, np.inf, 2.0 ** (codes - 127.0))


def to_e4m3(x):
    """The nearest of the 127 magnitudes, ties to the even code, saturating."""
    grid = e4m3(np.arange(127))
    distance = np.abs(np.abs(x)[..., None] - grid)
    low = distance.argmin(-1)
    tie = (low < 126) & (np.take_along_axis(distance, np.minimum(low + 1, 126)[..., None],
                                            -1)[..., 0] == distance.min(-1))
    return np.where(tie & (low % 2 == 1), low + 1, low) | np.where(np.signbit(x), 128, 0)


def quantize_mx(w, bits):
    dtype, groups = w.dtype, w.astype(np.float64).reshape(*w.shape[:-1], -1, 32)
    r = rounded(np.abs(groups).max(-1, keepdims=True) / (448 if bits == 8 else 6), dtype)
    k = np.where(r == 0, 0, np.maximum(np.ceil(rounded(np.log2(np.where(r == 0, 1, r)), dtype)), -127))
    y = rounded(groups / 2.0**k, dtype)
    codes = to_e4m3(y) if bits == 8 else np.abs(rounded(y[..., None] - E2M1, dtype)).argmin(-1)
    return pack(codes.reshape(w.shape), bits), (k[..., 0] + 127).astype(np.uint8)


def decode(words, scales, biases, group, bits, mode):
    """The exact weights, in binary64."""
    codes = unpack(words, bits)
    spread = lambda a: np.repeat(np.asarray(a).astype(np.float64), group, -1)
    if mode == "affine":
        return codes * spread(scales) + spread(biases)
    values = e4m3(codes) if bits == 8 else E2M1[codes]
    factor = e4m3 if mode == "nvfp4" else e8m0
    return values * np.repeat(factor(scales.astype(np.int64)), group, -1)


def weight(batch, rows, columns, group, bits, mode="affine", dtype=F32, integers=False):
    words = rng.integers(0, 2**32, (*batch, rows, columns * bits // 32), dtype=np.uint32)
    shape = (*batch, rows, columns // group)
    if mode != "affine":
        low, high = (0x28, 0x40) if mode == "nvfp4" else (124, 131)
        return {"w_q": words, "scales": rng.integers(low, high, shape).astype(np.uint8)}
    draw = lambda p: rng.integers(-p, p + 1, shape) if integers else rng.uniform(-1, 1, shape)
    return {"w_q": words, "scales": draw(2).astype(dtype), "biases": draw(3).astype(dtype)}


def quantize(w, group=None, bits=None, mode="affine", global_scale=None, tiny=False, note=""):
    names = ["w_q", "scales", "biases"]
    inputs = {"w": w}
    if global_scale is not None:
        inputs["global_scale"] = np.float32(global_scale)
    more = {} if global_scale is None else {"global_scale": mx.array(global_scale, dtype=mx.float32)}
    out = [from_mlx(a) for a in mx.quantize(to_mlx(w), group, bits, mode, **more)]
    source = MLX
    if mode.startswith("mx"):
        expected = quantize_mx(w, 8 if mode == "mxfp8" else 4)
        if tiny:
            out, source = expected, NUMPY
        assert all(np.array_equal(a, b) for a, b in zip(out, expected))
    corpus.add("quantize", attributes(group, bits, mode), inputs, list(zip(names, out)), note=note, source=source)


def dequantize(inputs, group, bits, mode="affine", dtype=None, note=""):
    tags = {None: None, "F32": mx.float32, "F16": mx.float16, "BF16": mx.bfloat16}
    arrays = [to_mlx(inputs[k]) if k in inputs else None for k in ("w_q", "scales", "biases")]
    out = from_mlx(mx.dequantize(*arrays, group, bits, mode, dtype=tags[dtype]))
    corpus.add("dequantize", {**attributes(group, bits, mode), "dtype": dtype}, inputs, [("w", out)], note=note)


def multiply(x, inputs, transpose, group, bits, mode="affine", out=None, integers=False, note=""):
    group, bits = group or (16 if mode == "nvfp4" else 32), bits or (8 if mode == "mxfp8" else 4)
    w = decode(inputs["w_q"], inputs["scales"], inputs.get("biases"), group, bits, mode)
    y = x.astype(np.float64) @ (np.swapaxes(w, -1, -2) if transpose else w)
    arrays = [to_mlx(a) for a in inputs.values()] + [None] * (3 - len(inputs))
    dtype = out or x.dtype.type
    if dtype == F32 and not (x.ndim <= 2 < w.ndim):
        given = from_mlx(mx.quantized_matmul(to_mlx(x), *arrays, transpose, group, bits, mode))
        assert np.allclose(given, y, rtol=1e-4, atol=1e-4 * np.nanmax(np.abs(y)), equal_nan=True)
    scale = np.nanmax(np.abs(y))
    close = {"compare": "close", "tol": (2e-3, 2e-3 * scale) if dtype != F32 else (1e-5, 2e-6 * scale)}
    if dtype == BF16:
        close["tol"] = (1e-2, 1e-2 * scale)
    corpus.add("quantized_matmul", {"transpose": transpose, **attributes(group, bits, mode)}, {"x": x, **inputs},
               [("out", y.astype(dtype))], note=note, source=NUMPY, **({} if integers else close))


def uniform(shape, dtype=F32):
    return rng.uniform(-1, 1, shape).astype(dtype)


def integers(shape, p=3, dtype=F32):
    return rng.integers(-p, p + 1, shape).astype(dtype)


for n, bits in enumerate((2, 3, 4, 5, 6, 8, 1)):
    group = (32, 64, 128)[n % 3]
    quantize(uniform((2, 2 * group), (F32, F16, BF16)[n % 3]), group, bits)
    dequantize(weight((), 3, group, group, bits, dtype=(F32, BF16, F16)[n % 3]), group, bits)
    multiply(integers((1 + 4 * n, group)), weight((), 5, group, group, bits, integers=True), True, group, bits,
             integers=True, note="integers: exact in any order")
    multiply(uniform((1 + 3 * n, 7)), weight((), 7, group, group, bits), False, group, bits)
special = np.zeros((6, 32), F32)
special[1], special[2], special[3] = 1, -17 - np.arange(32) // 2, 1e-8
special[4, :4], special[5, :5] = [-7.5, 7.5, 0, 1], [-10, 5, 0.5, 1.5, 2.5]
quantize(special, 32, 4, note="zero, constant, all negative and tiny groups, equal magnitudes, ties")
quantize(np.arange(32, dtype=F32)[None], 32, 3, note="a ramp: the order of packing")
quantize(uniform((2, 1, 64)), note="three axes, defaults")
one_bit = special.copy()
one_bit[0, :4], one_bit[5, :5] = [-1, 0, 2, 0.4], [0, 1, 0.5, 0.49, 0.51]
quantize(one_bit, 32, 1, note="one bit: the bias is the least value, ties go to 0")
for mode in ("mxfp4", "mxfp8", "nvfp4"):
    group, bits = (16 if mode == "nvfp4" else 32), (8 if mode == "mxfp8" else 4)
    quantize(np.concatenate([uniform((1, 64)), 9 * uniform((1, 64)), np.zeros((1, 64), F32)]), mode=mode)
    quantize(uniform((2, 32), BF16), mode=mode)
    dequantize(weight((), 2, 64, group, bits, mode), None, None, mode)
    dequantize(weight((), 2, 32, group, bits, mode), group, bits, mode, "F32")
    multiply(uniform((3, 32)), weight((), 4, 32, group, bits, mode), True, group, bits, mode)
largest = np.array([1, 3, 3.0000002, 4, 6, 6.000001, 7, 8, 12, 13, 448, 448.00003, 600, 896, 1e30, 3e38], F32)
rows = np.concatenate([largest[:, None], largest[:, None] * rng.uniform(-1, 1, (16, 31)).astype(F32)], 1)
for mode in ("mxfp4", "mxfp8"):
    quantize(rows, mode=mode, note="the scale exponent is rounded up")
    quantize(rows[:10].astype(BF16), mode=mode, note="the logarithm is rounded to bfloat16")
    quantize(rows[:10].astype(F16), mode=mode, note="the logarithm is rounded to float16")
    quantize(np.array([[1e-40, -1e-40, 5e-41] + 29 * [0], [1e-38] + 31 * [0], 32 * [1e-45]], F32), mode=mode, tiny=True,
             note="no exponent below -127")
quantize(uniform((2, 32)), mode="nvfp4", global_scale=5, note="a global scale")
dequantize(weight((), 2, 64, 32, 5, dtype=F16), 32, 5, dtype="F32", note="float16 arithmetic, then the cast")
multiply(integers((32,)), weight((), 3, 32, 32, 4, integers=True), True, 32, 4, integers=True, note="x with one axis")
multiply(integers((2, 1, 3, 32)), weight((2,), 4, 32, 32, 8, integers=True), True, 32, 8, integers=True,
         note="batch axes broadcast")
multiply(integers((3, 32)), weight((2,), 4, 32, 32, 6, integers=True), True, 32, 6, integers=True,
         note="x with two axes is multiplied by every matrix of w")
multiply(uniform((9, 64), F16), weight((), 3, 64, 64, 4, dtype=F16), True, 64, 4, note="float16, one rounding")
multiply(uniform((2, 64), BF16), weight((), 3, 64, 32, 3, dtype=BF16), True, 32, 3, note="bfloat16, one rounding")
multiply(integers((2, 32), 5, np.int32), weight((), 3, 32, 32, 4, integers=True), True, 32, 4, out=F32, integers=True,
         note="integer x is promoted")

# Beyond float32: a power of two moves scales and biases only.
for bits in (2, 4, 8):
    wide = np.stack([np.linspace(-3e38, 3e38, 32), np.linspace(3.3e38, -3e38, 32)]).astype(F32)
    codes, scales, biases = (from_mlx(a) for a in mx.quantize(to_mlx(wide / 16), 32, bits))
    corpus.add("quantize", attributes(32, bits), {"w": wide},
               [("w_q", codes), ("scales", scales * 16), ("biases", biases * 16)],
               note="max - min is beyond float32, the scale is not", source=MLX + ", of a sixteenth")

# A lost group: codes 0 under a scale that makes NaN of them. Its neighbours are quantized by MLX.
HAND = "the rule of the row, by hand"
for value in (np.nan, np.inf, -np.inf):
    for group, bits, mode, dtype in ((32, 1, "affine", F32), (64, 4, "affine", F16), (128, 8, "affine", BF16),
                                     (32, 4, "mxfp4", F32),
                                     (32, 8, "mxfp8", BF16), (16, 4, "nvfp4", F32)):
        w = uniform((3, 2 * group), dtype)
        out = [np.array(from_mlx(a)) for a in mx.quantize(to_mlx(w), group, bits, mode)]
        w[1, group + 5] = value
        out[0][1, group * bits // 32 :] = 0
        for a in out[1:]:
            a[1, 1] = {"affine": np.nan, "nvfp4": 127}.get(mode, 255)
        corpus.add("quantize", attributes(group, bits, mode), {"w": w}, list(zip(("w_q", "scales", "biases"), out)),
                   note=f"a group with {value}", source=f"{MLX}, but for the lost group: {HAND}")
far = np.full((2, 32), 1, F32)
far[1, :2] = -3e38, 3e38
corpus.add("quantize", attributes(32, 1), {"w": far},
           [("w_q", np.zeros((2, 1), np.uint32)), ("scales", np.array([[1e-7], [np.nan]], F32)),
           ("biases", np.array([[1], [np.nan]], F32))], note="one bit: a scale beyond float32 loses the group",
           source=HAND)

codes = np.arange(256, dtype=np.uint8).view(np.uint32).reshape(2, 32)
byte_scales = np.array([[0, 1, 126, 127], [128, 200, 254, 255]], np.uint8)
for dtype in (None, "F32", "F16"):
    dequantize({"w_q": codes, "scales": byte_scales}, None, None, "mxfp8", dtype,
               note="every E4M3 code: 0x7f and 0xff are NaN")
nibbles = np.tile(np.array([0x76543210, 0xFEDCBA98], np.uint32), (4, 4))
dequantize({"w_q": nibbles, "scales": np.array([[0x7F, 0xFF, 0x7E, 0xFE], [0, 1, 8, 0x80], [0x38, 0xB8, 0x40, 0x30],
           [0x77, 0x78, 0x79, 0x08]], np.uint8)}, None, None, "nvfp4", "F32", note="scale bytes 0x7f and 0xff are NaN")
dequantize({"w_q": nibbles, "scales": np.array([[0, 255], [1, 254], [127, 128], [120, 130]], np.uint8)}, None, None,
           "mxfp4", "F32",
           note="E8M0 255 is infinity: elements 0 are NaN")
nan_code = weight((), 4, 64, 32, 8, "mxfp8")
nan_code["w_q"] &= ~np.uint32(0x01010101)
nan_code["w_q"][2, 3] |= np.uint32(0x7F)
multiply(uniform((2, 64)), nan_code, True, None, None, "mxfp8", note="one E4M3 code is NaN")
nan_scale = weight((), 4, 32, 16, 4, "nvfp4")
nan_scale["scales"][1, 1] = 0xFF
multiply(uniform((2, 32)), nan_scale, True, None, None, "nvfp4", note="one E4M3 scale is NaN")

good = weight((), 3, 64, 64, 4)
without = lambda d, *names: {k: v for k, v in d.items() if k not in names}
for attrs, w, note in (
    (attributes(32, 4), uniform((2, 48)), "ragged last group"),
    (attributes(32, 4), uniform((64,)), "one axis"),
    (attributes(32, 4), np.zeros((2, 64), np.int32), "integers"),
    (attributes(32, 7), uniform((2, 64)), "no such width"),
    (attributes(64, 4, "mxfp4"), uniform((2, 64)), "the mode fixes the group size"),
    (attributes(None, None, "fp3"), uniform((2, 64)), "unknown mode"),
):
    corpus.error("quantize", attrs, {"w": w}, note=note)
for attrs, inputs, note in (
    (attributes(64, 4), without(good, "biases"), "affine without biases"),
    (attributes(32, 4), good, "too few scales"),
    (attributes(64, 4), {**good, "w_q": good["w_q"].astype(np.int32)}, "signed codes"),
    (attributes(32, 4, "mxfp4"), good, "biases in mode mxfp4"),
):
    corpus.error("dequantize", {**attrs, "dtype": None}, inputs, note=note)
    corpus.error("quantized_matmul", {"transpose": True, **attrs}, {"x": uniform((2, 64)), **inputs}, note=note)
corpus.error("quantized_matmul", {"transpose": True, **attributes(64, 4)}, {"x": uniform((2, 32)), **good},
             note="inner sizes differ")
corpus.save()
