"""Rotary position embedding by its definition, angles and their cosines by mpmath at 40 digits; and as MLX has it."""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mp.mp.dps = 40
TOLERANCES = {"float64": (2**-46, 2**-46), "float32": (2**-20, 2**-21), "float16": (2**-10, 2**-11),
              "bfloat16": (2**-7, 2**-8)}


def turned(x, dims, traditional, base, scale, offset, freqs):
    batch, positions, h = x.shape[0], x.shape[-2], dims // 2
    wide = x.astype(np.float64).reshape(batch, -1, positions, x.shape[-1])
    y = wide.copy()
    offsets = np.broadcast_to(np.asarray(offset).reshape(-1), batch)
    for b in range(batch):
        for t in range(positions):
            for i in range(h):
                u, v = (2 * i, 2 * i + 1) if traditional else (i, i + h)
                power = lambda: mp.mpf(float(np.float32(base)))**-(mp.mpf(i) / h)
                rate = power() if base is not None else 1 / mp.mpf(float(freqs[i]))
                angle = (t + int(offsets[b])) * mp.mpf(float(np.float32(scale))) * rate
                c, s = mp.cos(angle), mp.sin(angle)
                for m in range(wide.shape[1]):
                    p, q = (mp.mpf(float(wide[b, m, t, k])) for k in (u, v))
                    y[b, m, t, u], y[b, m, t, v] = float(p * c - q * s), float(p * s + q * c)
    return y.reshape(x.shape).astype(x.dtype)


def exact(c, x, dims, traditional=False, base=10000.0, scale=1.0, offset=0, freqs=None, note=""):
    given = isinstance(offset, np.ndarray)
    inputs = {"x": x, **({"offset": offset} if given else {}), **({} if freqs is None else {"freqs": freqs})}
    attributes = {"dims": dims, "traditional": traditional, "base": base, "scale": scale,
                  "offset": None if given else offset}
    y = turned(x, dims, traditional, base, scale, offset, freqs)
    c.add("rope", attributes, inputs, [("out", y)], compare="close", tol=TOLERANCES[x.dtype.name], note=note)


def by_mlx(c, x, dims, traditional, note=""):
    y = np.array(mx.fast.rope(mx.array(x), dims, traditional=traditional, base=100.0, scale=1.0, offset=4))
    c.add("rope", {"dims": dims, "traditional": traditional, "base": 100.0, "scale": 1.0, "offset": 4}, {"x": x},
          [("out", y)], compare="close", tol=(2**-18, 2**-18), note=note, source=f"mlx {mx.__version__}")


def main():
    c = Corpus("rope", source=f"mpmath {mp.__version__}")
    mx.set_default_device(mx.cpu)
    rng = np.random.default_rng(16)
    some = lambda *shape, t=np.float32: rng.standard_normal(shape).astype(t)
    for t in (np.float32, np.float16, ml_dtypes.bfloat16, np.float64):
        for traditional in (False, True):
            exact(c, some(2, 2, 3, 8, t=t), 8, traditional)
            exact(c, some(1, 4, 7, t=t), 4, traditional, base=100.0, scale=0.5, offset=3, note="4 of 7 turn")
            exact(c, some(2, 3, 4, t=t), 4, traditional, base=None, freqs=np.array([1.5, 0.25], np.float32), offset=2)
    exact(c, some(3, 2, 2, 6), 6, offset=np.array([0, 5, -4], np.int32), note="an offset for each of the batch")
    exact(c, some(3, 2, 2, 6), 6, offset=np.array(7, np.int64), note="one for all")
    exact(c, some(1, 2, 8), 8, offset=1000003, note="far from the first position: angles keep their digits")
    exact(c, some(1, 1, 2, 2), 2, offset=np.array([2**40], np.int64), note="farther than any float counts")
    exact(c, some(1, 2, 4), 4, base=None, freqs=np.array([3.0, 7.0], np.float16), scale=-2.0)
    by_mlx(c, some(2, 3, 4, 10), 8, False)
    by_mlx(c, some(2, 3, 4, 10), 8, True)
    attributes = {"dims": 4, "traditional": False, "base": 10000.0, "scale": 1.0, "offset": 0}
    x = some(2, 3, 6)
    for wrong, note in (({"dims": 3}, "odd"), ({"dims": 8}, "more than there are"), ({"dims": 0}, "none"),
                        ({"base": None}, "neither base nor freqs")):
        c.error("rope", {**attributes, **wrong}, {"x": x}, note=note)
    c.error("rope", attributes, {"x": x, "freqs": some(2)}, note="base and freqs")
    c.error("rope", {**attributes, "base": None}, {"x": x, "freqs": some(3)}, note="more freqs than pairs")
    c.error("rope", {**attributes, "offset": None}, {"x": x, "offset": np.zeros(3, np.int32)}, note="three for two")
    c.error("rope", {**attributes, "offset": None}, {"x": x, "offset": np.zeros((2, 1), np.int32)}, note="a matrix")
    c.error("rope", {**attributes, "offset": None}, {"x": x, "offset": np.zeros(2, np.float32)}, note="no integers")
    c.error("rope", attributes, {"x": some(3, 6)}, note="no batch")
    c.error("rope", attributes, {"x": np.zeros((2, 3, 6), np.int32)}, note="whole numbers")
    c.save()


if __name__ == "__main__":
    main()
