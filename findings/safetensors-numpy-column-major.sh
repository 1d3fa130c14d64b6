#!/usr/bin/env bash
# Library   safetensors 0.8.0, safetensors.numpy.save_file of an array in column-major order, with numpy 2.4.6
# Expected  the tensor comes back equal, or is refused: the format stores row-major data, and mlx 0.32.4 copies a
#           transposed array before it writes (upstream issue 825, open when this was seen, reports a regression)
# Seen      the bytes are written in memory order under the shape of the array, without an error: a transposed or
#           Fortran-ordered matrix comes back with its elements in the wrong places; after np.ascontiguousarray it is
#           right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" safetensors==0.8.0 numpy==2.4.6 'mlx[cpu]==0.32.4'
PYTHONPATH="$work/lib" python3 - "$work/x.safetensors" <<'PY'
import sys
import mlx.core as mx
import numpy as np
from safetensors.numpy import load_file, save_file

path = sys.argv[1]
x = np.arange(6, dtype=np.float32).reshape(2, 3)

def back(a):
    save_file({"x": a}, path)
    return load_file(path)["x"].tolist()

transposed, fortran = back(x.T), back(np.asfortranarray(x))
print("x.T", x.T.tolist(), "comes back as", transposed)
print("asfortranarray(x)", x.tolist(), "comes back as", fortran)
copied = back(np.ascontiguousarray(x.T))
mx.save_safetensors(path, {"x": mx.array(x).T})
other = load_file(path)["x"].tolist()
print("copied first", copied, "written by mlx", other)
same = (transposed == [[0, 1], [2, 3], [4, 5]] and fortran == [[0, 3, 1], [4, 2, 5]]
        and copied == x.T.tolist() and other == x.T.tolist())
print("safetensors.numpy 0.8.0 stores column-major arrays scrambled" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
