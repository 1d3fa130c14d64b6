#!/usr/bin/env bash
# Library   mlx 0.32.4 (CPU), fft.rfft, fft.stft and hadamard_transform of complex64, with numpy 2.4.6
# Expected  a transform of real input refuses complex input, as NumPy's rfft does (TypeError), and a linear transform
#           that accepts complex input transforms both parts
# Seen      the imaginary parts are dropped without a word: rfft(z) is rfft(real(z)); stft(z, onesided=True) is
#           stft(real(z)), although stft of complex input takes both parts otherwise; hadamard_transform(z) is float32
#           and the transform of real(z)
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" 'mlx[cpu]==0.32.4' numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
values = np.array([1 + 2j, 3 - 1j, 5j, 2 + 2j, -1 + 1j, 4, -2j, 1 - 3j], np.complex64)
z, real = mx.array(values), mx.array(values.real)

def equal(a, b):
    return a.shape == b.shape and np.allclose(np.array(a), np.array(b), atol=1e-5)

try:
    np.fft.rfft(values)
    refused = False
except TypeError:
    refused = True
print("rfft of", z, "is", mx.fft.rfft(z), "; NumPy refuses:", refused)
same = refused and equal(mx.fft.rfft(z), mx.fft.rfft(real))
one, two = (mx.fft.stft(z, n_fft=4, onesided=o) for o in (True, False))
print("stft: one side is that of the real part:", equal(one, mx.fft.stft(real, n_fft=4, onesided=True)))
same &= equal(one, mx.fft.stft(real, n_fft=4, onesided=True)) and not equal(two[:3], one)
same &= not equal(two, mx.fft.stft(real, n_fft=4, onesided=False))
turned = mx.hadamard_transform(z)
print("hadamard_transform:", turned.dtype, "; of the real part alone:", equal(turned, mx.hadamard_transform(real)))
same &= turned.dtype == mx.float32 and equal(turned, mx.hadamard_transform(real))
print("mlx 0.32.4 drops imaginary parts" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
