#!/usr/bin/env bash
# Library   mlx 0.32.4 (CPU), mx.load of an .npy file that numpy 2.4.6 wrote
# Expected  an .npy file says its byte order (the NPY format: descr '>c8' is two big-endian 4-byte floats, real part
#           first) and mx.load reads other big-endian files: '>f2', '>f4', '>i2', '>i4', '>i8' come back equal
# Seen      of '>c8' the eight bytes of an element are turned round as one word, so the real and the imaginary part
#           change places without a word: 1+2i is read as 2+1i; numpy reads the same file right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" 'mlx[cpu]==0.32.4' numpy==2.4.6
PYTHONPATH="$work/lib" python3 - "$work/x.npy" <<'PY'
import sys
import mlx.core as mx
import numpy as np

path = sys.argv[1]

def through_file(values, descr):
    np.save(path, np.array(values, descr))
    return np.load(path).tolist(), mx.load(path).tolist()

same = True
for descr in (">f2", ">f4", ">i2", ">i4", ">i8", "<c8"):
    want, got = through_file([1, 2, -3], descr)
    same &= want == got
    print(f"{descr}: numpy {want} mlx {got}")
values = [1 + 2j, -3.5 + 0j, 0 - 7j]
want, got = through_file(values, ">c8")
print(f">c8: numpy {want} mlx {got}")
same &= want == values and got == [complex(v.imag, v.real) for v in values]
print("mlx 0.32.4 exchanges the parts of big-endian complex numbers" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
