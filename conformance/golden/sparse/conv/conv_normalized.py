"""Normalised sparse convolutions from dense ones: the squares of the weights are convolved with a grid of ones."""

import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from convolution import answer, kernel_major, some_sites  # noqa: E402
from corpus import Corpus  # noqa: E402


class Writer:
    def __init__(self):
        self.corpus = Corpus("conv_normalized", source=f"numpy {np.__version__}, dense grids")
        self.rng = np.random.default_rng(47)

    def add(self, op, kind, size, stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), n=16, active=None,
            channels=(3, 4),
            dtype=np.float32, layout="kernel_major", bias=False, eps=1e-8, scale=1.0, plain=False, note=""):
        rng, active = self.rng, n if active is None else active
        size, stride, padding, dilation = map(list, (size, stride, padding, dilation))
        coords = some_sites(rng, n, -2, 2, 2)
        targets = some_sites(rng, n // 2, -3, 3, 2) if kind.startswith("target") else None
        shape = (channels[1], *size, channels[0]) if layout == "dense_5d" else (int(np.prod(size)), *channels)
        x, w, b = (rng.uniform(-s, s, d).astype(dtype) 
                   for s, d in ((1, (n, channels[0])), (scale, shape), (1, channels[1:])))
        inputs = {"coords": coords, "active_rows": np.array([active], np.int32), "features": x, "weight": w}
        inputs |= {"bias": b} if bias else {}
        if targets is not None:
            inputs |= {"target_coords": targets, "target_active_rows": np.array([len(targets)], np.int32)}
        attrs = {"kernel_size": size, "stride": stride, "padding": padding, "dilation": dilation,
                 "weight_layout": layout, "eps": eps}
        for name in {"submanifold": ("stride", "padding"), "generative": ("padding", "dilation")}.get(kind, ()):
            del attrs[name]
        g = {"size": size, "stride": stride, "padding": padding, "dilation": dilation}
        weight = kernel_major(w, layout)
        features = x.astype(np.float64)[:active]
        out, y = answer(kind, coords[:active], features, weight, targets, None, g)
        _, norm = answer(kind, coords[:active], np.ones_like(features), weight**2, targets, None, g)
        if not plain:
            y = y / np.sqrt(norm + np.float64(np.float32(eps)))
        y = y + (b.astype(np.float64) if bias else 0)
        tol = (2e-3, 2e-3) if dtype == np.float16 else (1e-5, 1e-5)
        self.corpus.add(op, attrs, inputs, [("out_coords", out.astype(np.int32)), ("features", y.astype(dtype))],
                        compare="close",
                        tol=tol, note=note)

    def by_hand(self):
        line = np.array([[0, x, 0, 0] for x in range(3)], np.int32)
        column = lambda *v: np.array(v, np.float32)[:, None]
        attrs = {"kernel_size": [3, 1, 1], "dilation": [1, 1, 1], "weight_layout": "kernel_major"}
        inputs = {"coords": line, "active_rows": np.array([3], np.int32), "features": column(1, 2, 3),
                  "weight": column(1, 2, 3)[:, None]}
        y = column(8 / 13**0.5, 14 / 14**0.5, 8 / 5**0.5)
        self.corpus.add("normalized_subm_conv3d", attrs, inputs, [("features", y)], compare="close", tol=(1e-6, 1e-6),
                        note="a line")
        for eps in (0.0, -1.0):
            self.corpus.error("normalized_subm_conv3d", attrs | {"eps": eps}, inputs, note="eps is not positive")
        self.corpus.error("normalized_subm_conv3d", attrs, inputs | {"bias": np.ones(2, np.float32)},
                          note="a bias of another length")
        half = {n: v.astype(np.float16) if v.dtype == np.float32 else v for n, v in inputs.items()}
        nowhere = {"target_coords": np.array([[0, 90, 0, 0], [0, 1, 0, 0]], np.int32),
                   "target_active_rows": np.array([2], np.int32)}
        geometry = {"stride": [1, 1, 1], "padding": [1, 0, 0]}
        self.corpus.add("normalized_conv_transpose3d", attrs | geometry, half | nowhere,
                        [("features", np.array([[0], [10 / 14**0.5]], np.float16))],
                        compare="close", tol=(1e-3, 1e-3), note="float16 keeps eps: a row without edges is 0, not NaN")


def main():
    w = Writer()
    w.by_hand()
    subm, transpose = "normalized_subm_conv3d", "normalized_conv_transpose3d"
    generative = "normalized_generative_conv_transpose3d"
    w.add(subm, "submanifold", (3, 3, 3), bias=True, active=14)
    w.add(subm, "submanifold", (3, 1, 3), dilation=(1, 1, 2), layout="dense_5d", dtype=np.float16)
    w.add(subm, "submanifold", (3, 3, 1), scale=1e-4, note="eps matters")
    w.add(subm, "submanifold", (1, 1, 1), plain=True, bias=True, note="one point: a plain projection")
    w.add(subm, "submanifold", (1, 1, 1), dilation=(2, 1, 1), note="one point with a dilation is normalised")
    w.add(subm, "submanifold", (3, 1, 1), eps=0.5, channels=(17, 5), dtype=np.float16)
    w.add(transpose, "transposed", (2, 2, 2), (2, 2, 2), n=8, bias=True)
    w.add(transpose, "transposed", (3, 1, 2), (1, 1, 1), n=10, layout="dense_5d", note="outputs that meet")
    w.add(transpose, "transposed", (1, 1, 1), (2, 2, 2), note="one point is normalised too")
    w.add(transpose, "target_transposed", (3, 3, 3), (2, 2, 2), (1, 1, 1), bias=True,
          note="rows without edges are the bias")
    w.add(transpose, "target_transposed", (2, 1, 3), (2, 1, 1), dilation=(1, 1, 2), dtype=np.float16)
    w.add(generative, "generative", (2, 2, 1), (2, 2, 2), n=8, bias=True)
    w.add(generative, "generative", (3, 1, 1), (2, 1, 1), n=10, active=9, dtype=np.float16, layout="dense_5d")
    w.add(generative, "generative", (1, 1, 1), note="one point is normalised too")
    w.corpus.save()


if __name__ == "__main__":
    main()
