#!/usr/bin/env bash
# Library   mlx 0.32.4 (CPU), mx.vmap of linalg.tri_inv and linalg.solve_triangular, with numpy 2.4.6
# Expected  vmap of a function gives what the function gives for each matrix, and the functions look at one triangle:
#           `upper` chooses it, the other triangle is not read; called with the batch of matrices itself they do that
# Seen      under vmap the inverse is that of the whole matrix: the triangle is forgotten, tri_inv of [[2, 0.5], [1, 4]]
#           has 0.533 in the corner where 0.5 is right, and the solution of the lower triangular system changes with it.
#           Nothing is said; only matrices whose other triangle is zero come out right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" 'mlx[cpu]==0.32.4' numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
a = np.array([[[2, 0.5], [1, 4]], [[1, 3], [2, 5]]], np.float32)
ones = np.ones((2, 2), np.float32)
lower, whole = np.linalg.inv(np.tril(a)), np.linalg.inv(a)

def inverse(x):
    return mx.linalg.tri_inv(x, upper=False)

def solve(x, y):
    return mx.linalg.solve_triangular(x, y, upper=False)

def close(x, y):
    return np.allclose(np.array(x), y, atol=1e-5)

mapped, batched = mx.vmap(inverse)(mx.array(a)), inverse(mx.array(a))
print("tri_inv: vmap", mapped.tolist(), "\n batch", batched.tolist(), "\n true", lower.tolist())
same = close(mapped, whole) and close(batched, lower)
mapped = mx.vmap(solve)(mx.array(a), mx.array(ones))
batched = solve(mx.array(a), mx.array(ones[..., None]))[..., 0]
print("solve_triangular: vmap", mapped.tolist(), "batch", batched.tolist())
same &= close(mapped, whole.sum(-1)) and close(batched, lower.sum(-1))
same &= close(mx.vmap(inverse)(mx.array(np.tril(a))), lower)
print("mlx 0.32.4: vmap forgets the triangle" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
