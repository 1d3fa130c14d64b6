"""Packed sparse weights: MLX's affine quantizer for codes, NumPy in binary64 for decoded weights and their products,
convolutions on dense grids as in convolution.py.

    python3 conformance/golden/sparse/conv/sparse_quant.py     (numpy, mlx)
"""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from convolution import answer, some_sites  # noqa: E402
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
F16, F32 = np.float16, np.float32
NUMPY = f"numpy {np.__version__} in binary64"
MLX = f"mlx {mx.__version__}, CPU, repacked"
CLOSE = {F16: 2e-3, F32: 1e-5}


def by_rows(w):
    """(Cout,Cin), (K,Cin,Cout) or (Cout,Kx,Ky,Kz,Cin) as (K,Cout,Cin)."""
    if w.ndim == 2:
        return w[None]
    return w.transpose(0, 2, 1) if w.ndim == 3 else w.reshape(w.shape[0], -1, w.shape[-1]).transpose(1, 0, 2)


def stored(rows):
    """(K,Cout,n) as it is stored: as it is for one kernel row, outputs last for more."""
    return rows if len(rows) == 1 else np.ascontiguousarray(rows.transpose(0, 2, 1))


def unpacked(words, bits):
    """Codes of (K,Cout,W) words, least significant bit first."""
    stream = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=-1, bitorder="little")
    return (stream.reshape(*words.shape[:-1], -1, bits).astype(np.int64) << np.arange(bits)).sum(-1)


def exact_weights(p):
    """(K,Cin,Cout) in binary64: code s + b."""
    codes = unpacked(p["words"], p["bits"])
    group = codes.shape[-1] // p["s"].shape[-1]
    w = codes * np.repeat(p["s"].astype(np.float64), group, -1) + np.repeat(p["b"].astype(np.float64), group, -1)
    return w[..., : p["in"]].transpose(0, 2, 1)


class Writer:
    def __init__(self):
        self.corpus = Corpus("sparse_quant", source=NUMPY)
        self.rng = np.random.default_rng(41)

    def packed(self, kernels, channels, group, bits, dtype, exact, spare=0):
        rng, groups = self.rng, -(-channels[0] // group) + spare
        shape = (kernels, channels[1], groups)
        draw = (lambda p: rng.integers(-p, p + 1, shape)) if exact else (lambda p: rng.uniform(-p, p, shape))
        s, b = draw(2 if exact else 0.1).astype(dtype), draw(5 if exact else 0.5).astype(dtype)
        s[..., groups - spare :] = b[..., groups - spare :] = np.nan  # groups that nobody may read
        words = rng.integers(0, 2**32, (kernels, channels[1], groups * group * bits // 32), dtype=np.uint32)
        return {"words": words, "s": s, "b": b, "bits": bits, "in": channels[0]}

    def inputs(self, p):
        return {"weight": stored(p["words"]), "scales": stored(p["s"]), "biases": stored(p["b"])}

    def values(self, shape, dtype, exact):
        return (self.rng.integers(-2, 3, shape) if exact else self.rng.uniform(-1, 1, shape)).astype(dtype)

    def attributes(self, p, group):
        return {"bits": p["bits"], "group_size": group, "in_channels": p["in"], "out_channels": p["words"].shape[1],
                "storage_in_channels": p["words"].shape[2] * 32 // p["bits"]}

    def compared(self, y, dtype, exact):
        if exact:
            return {}
        return {"compare": "close", "tol": (CLOSE[dtype], CLOSE[dtype] * max(1.0, float(np.abs(y).max(initial=0))))}

    def conv(self, kind, size, stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), n=20, active=None,
             channels=(3, 4),
             group=32, bits=4, spare=0, dtype=F32, scales=None, exact=True, bias=False, box=(-3, 3), batches=2,
             note=""):
        rng, active, scales = self.rng, n if active is None else active, scales or dtype
        g = {"size": list(size), "stride": list(stride), "padding": list(padding), "dilation": list(dilation)}
        coords = some_sites(rng, n, *box, batches)
        features = self.values((n, channels[0]), dtype, exact)
        p = self.packed(int(np.prod(size)), channels, group, bits, scales, exact, spare)
        inputs = {"coords": coords, "active_rows": np.array([active], np.int32), "features": features, **self.inputs(p)}
        offset = self.values(channels[1], dtype, exact) if bias else None
        if bias:
            inputs["bias"] = offset
        targets = None
        if kind == "target":
            targets = some_sites(rng, n // 2, box[0] - 1, box[1] + 1, batches)
            inputs |= {"target_coords": targets, "target_active_rows": np.array([len(targets)], np.int32)}
        attrs = {"kind": kind, "kernel_size": g["size"]} | {k: g[k] for k in ("stride", "padding", "dilation")}
        for name in {"submanifold": ("stride", "padding"), "generative": ("padding", "dilation")}.get(kind, ()):
            del attrs[name]
        x = features[:active].astype(scales).astype(np.float64)
        out, y = answer(kind, coords[:active], x, exact_weights(p), targets, offset, g)
        self.corpus.add("sparse_quantized_conv", attrs | self.attributes(p, group), inputs,
                        [("out_coords", out.astype(np.int32)), ("features", y.astype(dtype))], note=note,
                        **self.compared(y, dtype, exact))

    def linear(self, n, channels, group=32, bits=4, spare=0, dtype=F32, scales=None, exact=True, bias=None, note=""):
        scales = scales or dtype
        p = self.packed(1, channels, group, bits, scales, exact, spare)
        x = self.values((n, channels[0]), dtype, exact)
        inputs = {"features": x, **self.inputs(p)}
        y = x.astype(scales).astype(np.float64) @ exact_weights(p)[0]
        if bias:
            inputs["bias"] = self.values(channels[1], bias, exact)
            y = y + inputs["bias"].astype(np.float64)
        out = np.result_type(dtype, bias or dtype).type
        self.corpus.add("quantized_linear", self.attributes(p, group), inputs, [("features", y.astype(out))], note=note,
                        **self.compared(y, dtype, exact))

    def quantize(self, w, group=None, bits=4, note=""):
        """MLX quantizes each kernel row and output, zeros behind the last channel."""
        rows = by_rows(w)
        used = group or (64 if rows.shape[2] >= 64 else 32)
        rows = np.pad(rows, ((0, 0), (0, 0), (0, -rows.shape[2] % used)))
        parts = mx.quantize(mx.array(rows.reshape(-1, rows.shape[2])), used, bits)
        outputs = [(name, stored(np.array(a).reshape(*rows.shape[:2], -1))) for name,
                   a in zip(("weight", "scales", "biases"), parts)]
        self.corpus.add("quantize_weight", {"group_size": group, "bits": bits}, {"weight": w}, outputs, note=note,
                        source=MLX)

    def dequantize(self, layout, size, channels, group=32, bits=4, spare=0, dtype=F32, note=""):
        p = self.packed(int(np.prod(size)), channels, group, bits, dtype, False, spare)
        codes = unpacked(p["words"], bits).astype(dtype)
        w = np.repeat(p["s"], group, -1) * codes + np.repeat(p["b"], group, -1)  # NumPy rounds each to dtype
        w = w[..., : channels[0]]
        shape = {"linear": lambda: w[0], "kernel_major": lambda: w.transpose(0, 2, 1),
                 "dense_5d": lambda: w.transpose(1, 0, 2).reshape(channels[1], *size, channels[0])}[layout]()
        self.corpus.add("dequantize_weight", {"layout": layout, "kernel_size": list(size)} | self.attributes(p, group),
                        self.inputs(p),
                        [("weight", np.ascontiguousarray(shape))], note=note)


def worked_examples(w):
    first = np.zeros((1, 32), F32)
    first[0, :2] = 1, -0.5
    w.corpus.add("quantize_weight", {"group_size": 32, "bits": 4}, {"weight": first},
                 [("weight", np.array([[[0xAAAAAAF0, 0xAAAAAAAA, 0xAAAAAAAA, 0xAAAAAAAA]]], np.uint32)),
                  ("scales", np.array([[[-0.1]]], F32)), ("biases", np.ones((1, 1, 1), F32))], note="s = -0.1, b = 1")
    words = np.zeros((2, 4, 1), np.uint32)
    words[:, 0, 0] = 0xAAAAAAF0, 0x0000000F
    attrs = {"kind": "forward", "kernel_size": [2, 1, 1], "stride": [1, 1, 1], "padding": [0, 0, 0],
             "dilation": [1, 1, 1], "bits": 4,
             "group_size": 32, "in_channels": 2, "out_channels": 1, "storage_in_channels": 32}
    line = np.array([[0, 0, 0, 0], [0, 1, 0, 0]], np.int32)
    inputs = {"coords": line, "active_rows": np.array([2], np.int32), "features": np.array([[1, 2], [3, 4]], F32),
              "weight": words,
              "scales": np.array([[[-0.1]], [[0.5]]], F32), "biases": np.array([[[1]], [[-1]]], F32)}
    w.corpus.add("sparse_quantized_conv", attrs, inputs,
                 [("out_coords", line), ("features", np.array([[15.5], [1]], F32))],
                 compare="close", tol=(1e-6, 1e-6), note="weights (1, -0.5) and (6.5, -1)")
    refused = lambda note, more, changed=attrs: w.corpus.error("sparse_quantized_conv", changed, inputs | more,
                                                               note=note)
    refused("5 bits", {}, attrs | {"bits": 5})
    refused("groups of 16", {}, attrs | {"group_size": 16})
    refused("scales of another dtype", {"scales": inputs["scales"].astype(F16)})
    refused("more channels than are stored", {"features": np.ones((2, 33), F32)}, attrs | {"in_channels": 33})
    refused("one kernel row for two",
            {"weight": words[:1], "scales": inputs["scales"][:1], "biases": inputs["biases"][:1]})
    refused("signed codes", {"weight": words.astype(np.int32)})
    w.corpus.error("quantize_weight", {"group_size": 48, "bits": 4}, {"weight": first}, note="groups of 48")
    w.corpus.error("quantize_weight", {"group_size": 32, "bits": 4}, {"weight": first[0]}, note="a vector")


def unusual(w):
    """Groups that are lost, ranges beyond float32, and weights beyond it: rules of the rows, by hand."""
    uniform = lambda *shape: w.rng.uniform(-1, 1, shape).astype(F32)
    for value in (np.nan, np.inf, -np.inf):
        for shape, at in (((5, 40), (3, 37)), ((3, 33, 5), (1, 7, 2))):
            weight = uniform(*shape)
            rows = by_rows(weight)
            rows = np.pad(rows, ((0, 0), (0, 0), (0, -rows.shape[2] % 32)))
            parts = [np.array(a).reshape(*rows.shape[:2], -1)
                     for a in mx.quantize(mx.array(rows.reshape(-1, rows.shape[2])), 32, 8)]
            weight[at] = value
            k, c, g = (0, at[0], at[1] // 32) if len(shape) == 2 else (at[0], at[2], at[1] // 32)
            parts[0][k, c, 8 * g : 8 * g + 8], parts[1][k, c, g], parts[2][k, c, g] = 0, np.nan, np.nan
            w.corpus.add("quantize_weight", {"group_size": 32, "bits": 8}, {"weight": weight},
                         [(n, stored(a)) for n, a in zip(("weight", "scales", "biases"), parts)],
                         note=f"a group with {value}",
                         source=MLX + ", but for the lost group")
    far = np.stack([np.linspace(-3e38, 3e38, 32), np.linspace(3.3e38, -3e38, 32)]).astype(F32)
    codes, scales, biases = (np.array(a)[None] for a in mx.quantize(mx.array(far / 16), 32, 4))
    w.corpus.add("quantize_weight", {"group_size": 32, "bits": 4}, {"weight": far},
                 [("weight", codes), ("scales", scales * 16), ("biases", biases * 16)],
                 note="max - min is beyond float32, the scale is not", source=MLX + ", of a sixteenth")
    # Weights 15 * 3e38 = inf, 3e38 - 3e38 = 0, 1e38 and -inf of four outputs, one channel.
    attrs = {"bits": 4, "group_size": 32, "in_channels": 1, "out_channels": 4, "storage_in_channels": 32}
    words = np.zeros((1, 4, 4), np.uint32)
    words[0, :, 0] = 15, 1, 1, 2
    scale, bias = np.array([3e38, 3e38, 3e38, -3e38], F32), np.array([0, -3e38, -2e38, -1e38], F32)
    x = np.array([[1], [0], [-2]], F32)
    third = float(scale[2]) + float(bias[2])
    y = np.array([[np.inf, 0, third, -np.inf], [np.nan, 0, 0, np.nan], [-np.inf, 0, -2 * third, np.inf]])
    inputs = {"features": x, "weight": words, "scales": scale.reshape(1, 4, 1), "biases": bias.reshape(1, 4, 1)}
    w.corpus.add("quantized_linear", attrs, inputs, [("features", y.astype(F32))], compare="close", tol=(1e-6, 0),
                 note="a weight is infinite where float32 would be", source="by hand")


def main():
    w = Writer()
    worked_examples(w)
    w.conv("forward", (2, 2, 2), (2, 2, 2), channels=(5, 7))
    w.conv("forward", (3, 1, 1), (2, 1, 1), (1, 0, 0), channels=(33, 5), bits=8, spare=1, bias=True, active=17)
    w.conv("forward", (1, 1, 1), (2, 2, 2), channels=(6, 3),
           note="one kernel row: stored (1,Cout,W), also with a stride")
    w.conv("target", (1, 1, 1), channels=(40, 9), group=64, bits=8, bias=True, note="one kernel row with targets")
    w.conv("target", (2, 3, 1), (1, 2, 1), dilation=(1, 1, 2), channels=(9, 6), exact=False)
    w.conv("submanifold", (3, 3, 3), channels=(32, 32), dtype=F16, box=(-1, 1), exact=False, n=16, batches=1,
           note="27 kernel rows, halves")
    w.conv("submanifold", (3, 1, 3), dilation=(2, 1, 1), channels=(7, 13), bits=8, spare=1, dtype=F16)
    w.conv("submanifold", (3, 1, 1), channels=(9, 5), scales=F16, exact=False,
           note="features are rounded to the dtype of the scales")
    w.conv("submanifold", (3, 1, 1), channels=(9, 5), dtype=F16, scales=F32, exact=False)
    w.conv("transposed", (2, 2, 2), (2, 2, 2), n=8, channels=(4, 5), bits=8, bias=True)
    w.conv("transposed", (3, 2, 1), (2, 1, 1), (1, 0, 0), n=10, channels=(33, 6), exact=False)
    w.conv("generative", (2, 2, 1), (2, 2, 2), n=8, channels=(3, 6))
    w.conv("generative", (1, 1, 1), (2, 2, 2), n=8, channels=(3, 6), bits=8, dtype=F16)
    w.linear(5, (6, 7))
    w.linear(9, (70, 17), group=64, bits=8, spare=1, bias=F32)
    w.linear(4, (130, 3), group=128, dtype=F16, exact=False, bias=F16)
    w.linear(4, (10, 3), dtype=F16, exact=False, bias=F32, note="the bias decides the dtype of the result")
    w.linear(4, (10, 3), scales=F16, exact=False, note="features are rounded to the dtype of the scales")
    uniform = lambda *shape: w.rng.uniform(-1, 1, shape).astype(F32)
    w.quantize(uniform(5, 40), note="32 by default")
    w.quantize(uniform(3, 70), bits=8, note="64 by default from 64 channels on")
    w.quantize(uniform(3, 33, 5), 32)
    w.quantize(uniform(4, 2, 1, 3, 20).astype(F16), 64, 8)
    w.quantize(uniform(1, 33, 5), 128, note="one kernel row")
    w.quantize((w.rng.integers(-20, 11, (6, 64)) / 2).astype(F32), 32, note="ties, padded or not")
    w.quantize(np.stack([np.zeros(40), np.full(40, -3), np.linspace(-9, -1, 40)]).astype(F32), 32,
               note="zeros, one value, all negative")
    w.dequantize("linear", (1, 1, 1), (40, 5))
    w.dequantize("kernel_major", (3, 1, 1), (33, 4), bits=8, dtype=F16)
    w.dequantize("dense_5d", (2, 1, 3), (5, 6), spare=1, dtype=F16)
    w.dequantize("dense_5d", (1, 1, 1), (65, 3), group=64, bits=8)
    unusual(w)
    w.corpus.save()


if __name__ == "__main__":
    main()
