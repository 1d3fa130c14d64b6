#!/usr/bin/env bash
# Library   PoCL 3.0 (pocl-binary-distribution 3.0), by pyopencl 2026.1.4
# Expected  tanh(inf) is 1 and tanh(-inf) is -1, as OpenCL C asks by way of C99, annex F.9.2.6; so is, rounded, that of
#           floats from 10 on
# Seen      tanh of floats ends at 0.99999994, the number before 1, for 10, 100 and infinity alike: within the 5 ulps
#           that OpenCL allows of a finite argument, but 1 + tanh(x) is 0 nowhere, so that x (1 + tanh(x)) / 2, as gelu
#           is often written, goes to -infinity with x; erf ends where it should
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" pyopencl==2026.1.4 pocl-binary-distribution==3.0
export PYTHONPATH="$work/lib" POCL_CACHE_DIR="$work/cache" XDG_CACHE_HOME="$work/xdg" PYOPENCL_NO_CACHE=1
OCL_ICD_VENDORS=$(dirname "$(find "$work/lib" -name '*.icd' | head -1)")
export OCL_ICD_VENDORS
python3 - <<'PY'
import sys
import numpy as np
import pyopencl as cl

SOURCE = """
kernel void ends(global const float* x, global float* y, long n) {
  const long i = get_global_id(0);
  y[i] = tanh(x[i]), y[n + i] = erf(x[i]), y[2 * n + i] = x[i] * (1 + tanh(x[i])) / 2;
}"""
context = cl.Context([cl.get_platforms()[0].get_devices()[0]])
queue = cl.CommandQueue(context)
x = np.array([10, 100, np.inf, -100, -1e30], np.float32)
y = np.empty((3, len(x)), np.float32)
given = cl.Buffer(context, cl.mem_flags.COPY_HOST_PTR, hostbuf=x)
taken = cl.Buffer(context, 0, y.nbytes)
cl.Program(context, SOURCE).build().ends(queue, (len(x),), None, given, taken, np.int64(len(x)))
cl.enqueue_copy(queue, y, taken)
queue.finish()
tanh, erf, gelu = y
below = np.nextafter(np.float32(1), np.float32(0))
print(f"{cl.get_platforms()[0].version}: x {x}\n tanh {tanh}\n erf {erf}\n x (1 + tanh x) / 2 {gelu}")
sys.exit(not (np.array_equal(tanh, np.sign(x) * below) and np.array_equal(erf, np.sign(x)) and gelu[4] < -1e22))
PY
