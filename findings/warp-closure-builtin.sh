#!/usr/bin/env bash
# Library   warp-lang 1.19.0 (NVIDIA Warp) on the CPU, with numpy 2.4.6
# Expected  a function that makes a kernel around the function given to it makes a different kernel for each: Warp
#           documents such closures as its way to generate kernels, and it is so when a @wp.func is given
# Seen      given a built-in, every kernel computes what the first one did: made for sin, then cos, then exp, all three
#           return sin(2), without a word. A built-in that is named by the closure does not enter the kernel's hash, so
#           the compiled code of the first is taken for the others; module="unique" does not help
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" warp-lang==1.19.0 numpy==2.4.6
cat > "$work/closures.py" <<'PY'
import math
import sys
import numpy as np
import warp as wp

wp.config.quiet = True
wp.config.kernel_cache_dir = sys.argv[1]

@wp.func
def twice(a: float):
    return 2.0 * a

@wp.func
def thrice(a: float):
    return 3.0 * a

def make(function, module):
    @wp.kernel(module=module)
    def kernel(x: wp.array(dtype=float), y: wp.array(dtype=float)):
        i = wp.tid()
        y[i] = function(x[i])
    return kernel

def results(functions, module):
    """What the kernels return for 2, all of them made before the first one runs."""
    kernels = [make(f, module) for f in functions]
    y = wp.zeros(1, dtype=float, device="cpu")
    x = wp.array([2.0], dtype=float, device="cpu")
    values = []
    for kernel in kernels:
        wp.launch(kernel, 1, [x, y], device="cpu")
        values.append(float(y.numpy()[0]))
    return values

same = True
for module in (None, "unique"):
    own = results([twice, thrice], module)
    builtin = results([wp.sin, wp.cos, wp.exp], module)
    want = [math.sin(2), math.cos(2), math.exp(2)]
    print(f"module={module}: twice, thrice {own}; sin, cos, exp {builtin}, want {want}")
    same &= own == [4.0, 6.0] and np.allclose(builtin, [want[0]] * 3, rtol=1e-6, atol=0)
print("Warp 1.19.0 takes one built-in of a closure for another" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
PYTHONPATH="$work/lib" python3 "$work/closures.py" "$work/cache"
