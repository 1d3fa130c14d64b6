#!/usr/bin/env bash
# Library   mlx 0.32.4 (CPU), mx.linalg.eig of complex64, with numpy 2.4.6
# Expected  A v = w v for each column v of the vectors and its value w, as for real matrices
# Seen      the values of a complex matrix are right and each vector is the conjugate of an eigenvector: A v - w v is of
#           the size of A for 20 of 20 random matrices, and 0 up to rounding once v is conjugated. Of real matrices,
#           also of those with complex values, the vectors are right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" 'mlx[cpu]==0.32.4' numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import mlx.core as mx
import numpy as np

rng = np.random.default_rng(3)

def residuals(a):
    """How far A v is from w v, relative to A, for the vectors as they come and for their conjugates."""
    values, vectors = (np.array(x).astype(complex) for x in mx.linalg.eig(mx.array(a), stream=mx.cpu))
    size = np.abs(a).max()
    return [float(np.abs(a @ v - v * values).max() / size) for v in (vectors, vectors.conj())]

def draw():
    return rng.standard_normal((5, 5)).astype(np.float32)

given = [residuals((draw() + 1j * draw()).astype(np.complex64)) for _ in range(20)]
real = [residuals(draw())[0] for _ in range(20)]
small = residuals(np.array([[1, 2j], [1, 3 + 1j]], np.complex64))
plain, turned = zip(*given)
print(f"complex64: A v - w v from {min(plain):.2g} to {max(plain):.2g} of A; with conjugated v up to {max(turned):.2g}")
print(f"real: up to {max(real):.2g}; [[1, 2i], [1, 3 + i]]: {small[0]:.2g}, conjugated {small[1]:.2g}")
same = min(plain) > 0.05 and max(turned) < 1e-4 and max(real) < 1e-4 and small[0] > 0.05 and small[1] < 1e-5
print("mlx 0.32.4 returns conjugated eigenvectors" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
