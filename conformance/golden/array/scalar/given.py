"""Recorded cases of operations with numbers that attributes give: MLX on its CPU backend where it is exact, NumPy in
the dtype's own arithmetic, and Python's whole numbers (pip install 'mlx[cpu]' numpy ml_dtypes mpmath)."""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from scalars import REALS, VALUES, array, value  # noqa: E402

mx.set_default_device(mx.cpu)
c = Corpus("given", source=f"mlx {mx.__version__}")
by_numpy = f"numpy {np.__version__}"

TIES = [0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, 1e30, np.inf, np.nan, -0.2]
for n in ["bfloat16", "float32", "float64"]:  # 1e30 is no float16
    x = array(n, TIES)
    c.add("round", {"decimals": 0}, {"x": value(x)}, [("out", value(mx.round(x)))], note="half to even")
for n in [n for n in REALS if "int" in n or n == "float16"]:
    x = array(n, VALUES[n])
    c.add("round", {"decimals": 0}, {"x": value(x)}, [("out", value(mx.round(x)))])
z = array("complex64", [0.5 + 1.5j, -2.5 - 0.5j])
c.add("round", {"decimals": 0}, {"x": value(z)}, [("out", value(mx.round(z)))], note="both parts")
for t in [np.float32, np.float64]:
    x = np.array([1.005, 2.675, -123.456, 0.125, 1e-9, 314159.26535], t)
    for d in [1, 2, -1, -2]:
        # numpy multiplies by 10^d, rounds and divides, or the other way round
        c.add("round", {"decimals": d}, {"x": x}, [("out", np.round(x, d))], source=by_numpy)
for n, d in [("int32", -1), ("int32", -3), ("int64", -2), ("uint8", -1), ("int8", -2), ("uint64", -19)]:
    kind = np.dtype(n)
    values = [15, 25, 35, 5, 45, 123] if kind.itemsize == 1 else [15, 25, 35, 123456789 % 2**31, 2**31 - 1, 450]
    if n == "uint64":
        values = [2**64 - 1, 10**19 // 2, 10**19 // 2 + 1, 3, 0]
    exact = [round(v, d) % 2 ** (8 * kind.itemsize) for v in values]  # Python rounds whole numbers half to even
    out = np.array(exact, f"uint{8 * kind.itemsize}").view(kind)
    c.add("round", {"decimals": d}, {"x": np.array(values, kind)}, [("out", out)], note="exact, and wraps",
          source="Python round()")
c.error("round", {"decimals": 400}, {"x": np.zeros(2, np.float32)}, note="no such power in f32")

for n in [n for n in REALS if n != "float64"]:
    a = array(n, VALUES[n])
    c.add("nan_to_num", {"nan": 0.0, "posinf": None, "neginf": None}, {"a": value(a)},
          [("out", value(mx.nan_to_num(a)))])
for t in [np.float16, np.float32, np.float64]:
    a = np.array([np.nan, np.inf, -np.inf, 1, -np.nan, 5e-324], np.float64).astype(t)
    c.add("nan_to_num", {"nan": 1.5, "posinf": 9.0, "neginf": -9.0}, {"a": a},
          [("out", np.nan_to_num(a, nan=1.5, posinf=9.0, neginf=-9.0))], source=by_numpy)
    c.add("nan_to_num", {"nan": 0.0, "posinf": None, "neginf": None}, {"a": a}, [("out", np.nan_to_num(a))],
          source=by_numpy)

FAR = [1, 1.0001, 1.000001, 0, 1e-9, np.inf, -np.inf, np.inf, np.nan, np.nan]
NEAR = [1, 1, 1, 1e-9, 0, np.inf, -np.inf, 1, np.nan, 1]
for n in ["float16", "bfloat16", "float32", "float64", "complex64"]:
    a, b = array(n, FAR), array(n, NEAR)
    for equal_nan in [False, True]:
        out = value(mx.isclose(a, b, equal_nan=equal_nan))
        c.add("isclose", {"rtol": 1e-5, "atol": 1e-8, "equal_nan": equal_nan}, {"a": value(a), "b": value(b)},
              [("out", out)])
a, b = array("int32", [100, -7, 3, 0]), array("int32", [[101], [-7]])
c.add("isclose", {"rtol": 0.0, "atol": 1.0, "equal_nan": False}, {"a": value(a), "b": value(b)},
      [("out", value(mx.isclose(a, b, rtol=0, atol=1)))], note="whole numbers")
for n in ["float16", "float32", "float64", "complex64"]:
    for p, q in [(FAR, NEAR), (FAR[:4], FAR[:4]), (FAR[:3], NEAR[:3]), (FAR[8:9], NEAR[8:9])]:
        x, y = array(n, p), array(n, q)
        for equal_nan in [False, True]:
            c.add("allclose", {"rtol": 1e-5, "atol": 1e-8, "equal_nan": equal_nan}, {"a": value(x), "b": value(y)},
                  [("out", value(mx.allclose(x, y, equal_nan=equal_nan)))])
            c.add("array_equal", {"equal_nan": equal_nan}, {"a": value(x), "b": value(y)},
                  [("out", value(mx.array_equal(x, y, equal_nan=equal_nan)))])
for n, m, p, q in [("int32", "int64", [1, 2], [1, 2]), ("int32", "float32", [1, 2], [1, 2.5]),
                   ("uint8", "uint8", [1], [1, 1]), ("int64", "int64", [2**60], [2**60 + 1]),
                   ("bool_", "int8", [True, False], [1, 0]),
                   ("float32", "float32", [], []), ("float32", "float32", [], [[]])]:
    x, y = array(n, p), array(m, q)
    c.add("array_equal", {"equal_nan": False}, {"a": value(x), "b": value(y)}, [("out", value(mx.array_equal(x, y)))],
          note="whole numbers, promotion, shapes")
c.error("isclose", {"rtol": -1.0, "atol": 0.0, "equal_nan": False}, {"a": value(a), "b": value(b)},
        note="a negative tolerance")
c.save()
