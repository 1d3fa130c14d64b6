"""Pointwise projections: integers, exact as long as a product of matrices in binary64 is, and reals."""

import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402


def main():
    rng = np.random.default_rng(43)
    c = Corpus("pointwise", source=f"numpy {np.__version__}, binary64")
    for n, a, m, dtype, exact in ((7, 3, 2, np.float32, True), (33, 17, 9, np.float16, True),
                                  (20, 40, 12, np.float32, False),
                                  (9, 64, 5, np.float16, False), (1, 1, 1, np.float32, True),
                                  (0, 3, 2, np.float32, True)):
        values = lambda *shape: (rng.integers(-3, 4, shape) if exact else rng.uniform(-1, 1, shape)).astype(dtype)
        x, w, g = values(n, a), values(m, a), values(n, m)
        compare = {} if exact else {"compare": "close", "tol": (2e-3, 4e-3) if dtype == np.float16 else (1e-5, 1e-5)}
        X, W, G = (v.astype(np.float64) for v in (x, w, g))
        y, dx, dw = X @ W.T, G @ W, G.T @ X
        assert not exact or (y * G).sum() == (X * dx).sum() == (W * dw).sum()
        c.add("pointwise_projection", {}, {"features": x, "weight": w}, [("out", y.astype(dtype))], **compare)
        c.add("pointwise_projection_vjp", {}, {"features": x, "weight": w, "cotangent": g},
              [("grad_features", dx.astype(dtype)), ("grad_weight", dw.astype(dtype))], **compare)
    ones = np.ones((4, 3), np.float32)
    c.error("pointwise_projection", {}, {"features": ones, "weight": np.ones((3, 2), np.float32)},
            note="weights as (in, out)")
    c.error("pointwise_projection", {}, {"features": ones, "weight": np.ones((2, 3), np.float16)},
            note="weights of another dtype")
    c.error("pointwise_projection_vjp", {},
            {"features": ones, "weight": np.ones((2, 3), np.float32), "cotangent": ones},
            note="channels of the cotangent")
    c.save()


if __name__ == "__main__":
    main()
