"""NumPy, with SciPy and ml_dtypes where NumPy itself has no such function.

    plumb check --backend 'cmd:python3 adapters/numpy_adapter.py'
"""
import numpy as np
import scipy
import ml_dtypes
import plumb_adapter
import numpy_conv
import numpy_elementwise
import numpy_linalg
import numpy_reduce
import numpy_shape
import numpy_sparse

OPS = {**numpy_elementwise.OPS, **numpy_reduce.OPS, **numpy_shape.OPS, **numpy_linalg.OPS, **numpy_conv.OPS,
       **numpy_sparse.OPS}

# Rows that these libraries have no function for, and why.
ABSENT = {
    "no gradients": ["*_vjp", "*_jvp"],
    "random numbers of generators of their own, and no key": ["array/random/*", "multivariate_normal"],
    "scipy.signal frames and scales in a way of its own": ["stft", "istft"],
    "no reciprocal square root: a quotient is rounded once more": ["rsqrt"],
    "no products of parts of matrices, and none with a sum": ["addmm", "gather_mm", "segmented_mm", "block_masked_mm"],
    "no such activation: a composition is rounded at each step": ["nn/activation/*"],
    "no losses": ["nn/losses/*"],
    "no normalization, no rotation": ["nn/normalization/*", "nn/rope/*"],
    "no attention": ["nn/attention/*", "nn/gated_delta/*"],
    "no quantized numbers": ["quant/*"],
    "no sparse lattices, only neighbours and distinct rows": ["sparse/*"],
}

REASONS = [
    (np.exceptions.AxisError, "", "axis"),
    (ValueError, "infs or NaNs", "domain"),
    (OverflowError, "", "dtype"),
    (np.linalg.LinAlgError, "square", "shape"),
    (np.linalg.LinAlgError, "dimension", "rank"),
    (np.linalg.LinAlgError, "", "domain"),
    (np.exceptions.DTypePromotionError, "", "dtype"),
    (ValueError, "repeated axis", "axis"),
    (ValueError, "duplicate value in 'axis'", "axis"),
    (IndexError, "out of bounds", "domain"),
]

def refuse_huge(call):
    """The judge asks that what no machine has room for is refused; NumPy would try."""
    sizes = [abs(v) for v in call["attrs"].values() if isinstance(v, int)]
    return "sizes that are tried, not refused" if any(n >= 1 << 31 for n in sizes) else ""


REFUSE = {**{name: refuse_huge for name in ("arange", "fftfreq", "rfftfreq")}, **numpy_elementwise.REFUSE,
          **numpy_reduce.REFUSE, **numpy_linalg.REFUSE}


def refuse(call):
    return REFUSE[call["op"]](call) if call["op"] in REFUSE else ""


if __name__ == "__main__":
    np.seterr(all="ignore")
    plumb_adapter.run("numpy", f"{np.__version__}, scipy {scipy.__version__}, ml_dtypes {ml_dtypes.__version__}", OPS,
                      reasons=REASONS, refuse=refuse, library=np.__file__)
