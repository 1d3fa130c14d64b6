#!/usr/bin/env bash
# Library   PoCL 3.0 (pocl-binary-distribution 3.0), by pyopencl 2026.1.4
# Expected  CL_PROGRAM_BINARIES of a program whose kernel was built and has run gives what is there
# Seen      asked for the binary, PoCL builds every kernel of the program once more, for work-groups of any size
#           (0-0-0 in its cache), beside the one for the size that was launched; whoever keeps binaries of a driver
#           that has a cache of its own has each kernel compiled twice
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" pyopencl==2026.1.4 pocl-binary-distribution==3.0
export PYTHONPATH="$work/lib" POCL_CACHE_DIR="$work/cache" XDG_CACHE_HOME="$work/xdg" PYOPENCL_NO_CACHE=1
OCL_ICD_VENDORS=$(dirname "$(find "$work/lib" -name '*.icd' | head -1)")
export OCL_ICD_VENDORS
python3 - "$work/cache" <<'PY'
import pathlib
import sys
import numpy as np
import pyopencl as cl

SOURCE = "kernel void twice(global float* x) { x[get_global_id(0)] *= 2; }"
context = cl.Context([cl.get_platforms()[0].get_devices()[0]])
queue = cl.CommandQueue(context)
program = cl.Program(context, SOURCE).build()
x = np.arange(256, dtype=np.float32)
buffer = cl.Buffer(context, cl.mem_flags.COPY_HOST_PTR, hostbuf=x)

def built():
    """The sizes of work-group that the kernel was built for, as the folders of the cache name them."""
    return sorted(p.parent.name for p in pathlib.Path(sys.argv[1]).glob("**/twice/*/*.so"))

program.twice(queue, (256,), (64,), buffer)
queue.finish()
before = built()
size = len(program.get_info(cl.program_info.BINARIES)[0])
after = built()
y = np.empty_like(x)
cl.enqueue_copy(queue, y, buffer)
print(f"{cl.get_platforms()[0].version}: after the launch {before}; after asking for {size > 0} binary {after}; "
      f"right answer: {bool((y == 2 * x).all())}")
same = len(before) == 1 and len(after) == 2 and any(n.startswith("0-0-0") for n in after) and (y == 2 * x).all()
print("a binary costs another build of each kernel" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
