#!/usr/bin/env bash
# Library   mlx 0.32.4 on the CPU, gradients of conv_transpose1d, 2d and 3d with output_padding
# Expected  a gradient in the shape of the input: with kernels of ones that overlap nowhere past the input's end, every
#           element is the number of the kernel's values
# Seen      one element (with output_padding=2: two) is missing along each padded axis; without output_padding, or with
#           padding of its size beside it, the shape is right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" "mlx[cpu]==0.32.4"
PYTHONPATH="$work/lib" python3 - <<'PY'
import mlx.core as mx

mx.set_default_device(mx.cpu)

def gradient(axes, size, stride, extra, padding=0):
    """The shapes of the input and of its gradient, for a kernel of three ones along each axis."""
    op = (mx.conv_transpose1d, mx.conv_transpose2d, mx.conv_transpose3d)[axes - 1]
    w = mx.ones((1, *([3] * axes), 1))
    x = mx.ones((1, *([size] * axes), 1))
    g = mx.grad(lambda v: mx.sum(op(v, w, stride=stride, padding=padding, output_padding=extra)))(x)
    print(f"{axes} axes of {size}, stride {stride}, padding {padding}, output_padding {extra}: gradient {g.shape}")
    return g.shape[1:-1]

same = gradient(1, 4, 2, 0) == (4,) and gradient(1, 4, 2, 1, padding=1) == (4,)
same &= gradient(1, 4, 2, 1) == (3,) and gradient(1, 4, 3, 2) == (2,)
same &= gradient(2, 3, 2, 1) == (2, 2) and gradient(3, 3, 2, 1) == (2, 2, 2)
print("mlx 0.32.4 loses the gradient's end" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
