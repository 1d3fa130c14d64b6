#!/usr/bin/env bash
# Library   pyFFTW 0.15.1, its interface in place of numpy.fft, with numpy 2.4.6
# Expected  fftn, ifftn and fft2 over axes=(0, 0) transform that axis twice, as NumPy's text of axes says and NumPy does
# Seen      it is transformed once, without a word
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" pyFFTW==0.15.1 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import numpy as np
import pyfftw.interfaces.numpy_fft

x = np.arange(6.0).reshape(2, 3) + 1j
drop_in = pyfftw.interfaces.numpy_fft
same = True
for name in ("fftn", "ifftn", "fft2"):
    for axis in (0, 1):
        right = getattr(np.fft, name)(x, axes=(axis, axis))
        once = getattr(np.fft, name)(x, axes=(axis,))
        got = getattr(drop_in, name)(x, axes=(axis, axis))
        print(f"{name} axes=({axis}, {axis}): first value by pyFFTW {got[0, 0]:.3f}, by numpy {right[0, 0]:.3f}")
        same &= np.allclose(got, once) and not np.allclose(got, right)
    same &= np.allclose(getattr(drop_in, name)(x, axes=(1, 0)), getattr(np.fft, name)(x, axes=(1, 0)))
print("pyFFTW 0.15.1 transforms an axis once" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
