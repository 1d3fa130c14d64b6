"""Recorded transforms of frames: frames cut by NumPy and transformed in binary64, cross-checked with MLX.

    python3 conformance/golden/array/fourier/stft.py     (numpy, mlx)
"""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

corpus = Corpus("stft", source=f"numpy {np.__version__} in binary64")
rng = np.random.default_rng(20261130)
MODES = ("constant", "edge", "reflect", "symmetric")


def padded_window(window, n, win):
    w = np.ones(win if win is not None else n) if window is None else window.astype(np.float64)
    front = (n - len(w)) // 2
    return np.pad(w, (front, n - len(w) - front))


def forward(x, window, n_fft, hop_length, win_length, center, pad_mode, norm, onesided):
    hop = hop_length if hop_length is not None else n_fft // 4
    wide = np.asarray(x, np.complex128)
    if center:
        wide = np.pad(wide, [(0, 0)] * (wide.ndim - 1) + [(n_fft // 2, n_fft // 2)], mode=pad_mode)
    frames = np.lib.stride_tricks.sliding_window_view(wide, n_fft, axis=-1)[..., ::hop, :]
    y = np.fft.fft(frames * padded_window(window, n_fft, win_length), norm=norm)
    half = onesided if onesided is not None else not np.iscomplexobj(x)
    return np.swapaxes(y[..., : n_fft // 2 + 1] if half else y, -1, -2).astype(np.complex64)


def inverse(stft_matrix, window, n_fft, hop_length, win_length, center, norm, onesided, length):
    half = onesided is None or onesided
    bins, count = stft_matrix.shape[-2:]
    n = n_fft if n_fft is not None else 2 * (bins - 1) if half else bins
    hop = hop_length if hop_length is not None else n // 4
    spectra = np.swapaxes(stft_matrix.astype(np.complex128), -1, -2)
    y = np.fft.irfft(spectra, n, norm=norm) if half else np.fft.ifft(spectra, n, norm=norm).real
    w = padded_window(window, n, win_length)
    total = (count - 1) * hop + n
    x, squares = np.zeros(stft_matrix.shape[:-2] + (total,)), np.zeros(total)
    for f in range(count):
        x[..., f * hop : f * hop + n] += w * y[..., f, :]
        squares[f * hop : f * hop + n] += w * w
    x = np.where(squares > 0, x / np.where(squares > 0, squares, 1), 0)
    first = n // 2 if center else 0
    length = length if length is not None else total - 2 * first
    x = x[..., first : first + length]
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, length - x.shape[-1])]).astype(np.float32)


def add(op, a, window=None, note="", **given):
    name, make = ("x", forward) if op == "stft" else ("stft_matrix", inverse)
    attrs = {"n_fft": None, "hop_length": None, "win_length": None, "onesided": None}
    attrs |= {"center": True, "norm": "backward"}
    attrs |= {"pad_mode": "reflect"} if op == "stft" else {"length": None}
    attrs |= given
    y = make(a, window, **attrs)
    dropped = op == "stft" and np.iscomplexobj(a) and attrs["onesided"]  # MLX takes real parts there
    like = {k: v for k, v in attrs.items() if v is not None}
    if window is not None:
        like["window"] = mx.array(window)
    theirs = np.array(getattr(mx.fft, op)(mx.array(a), stream=mx.cpu, **like))
    close = np.allclose(y, theirs, rtol=1e-4, atol=1e-4 * np.abs(y).max(initial=0))
    assert theirs.shape == y.shape and (close or dropped), note
    tol = (1e-6, 4e-6 * float(np.abs(y).max(initial=0)))
    inputs = {name: a} | ({"window": window} if window is not None else {})
    corpus.add(op, attrs, inputs, [("out", y)], compare="close", tol=tol, note=note)


def signal(*shape):
    return rng.uniform(-1, 1, shape).astype(np.float32)


def spectrum(*shape):
    return (rng.uniform(-1, 1, shape) + 1j * rng.uniform(-1, 1, shape)).astype(np.complex64)


hann = np.hanning(9)[:8].astype(np.float32)
for mode in MODES:
    add("stft", signal(21), hann, n_fft=8, hop_length=2, pad_mode=mode, note=f"ends continued as {mode}")
add("stft", signal(2, 3, 24), hann, n_fft=8, note="leading axes are a batch, the hop is n / 4")
add("stft", signal(33), n_fft=8, hop_length=3, center=False, norm="ortho", note="no centring")
add("stft", signal(33), hann[:5], n_fft=9, hop_length=4, norm="forward", note="a shorter window, odd frames")
add("stft", signal(33), n_fft=8, win_length=5, onesided=False, note="all bins, so many ones for a window")
add("stft", spectrum(20), hann, n_fft=8, hop_length=5, note="a complex signal gives all bins")
add("stft", spectrum(20), hann, n_fft=8, onesided=True, note="a complex signal, half of them")
add("stft", rng.integers(-9, 9, 30).astype(np.int16), hann, n_fft=8, note="whole numbers")
add("stft", signal(70).astype(np.float16), n_fft=15, hop_length=17, center=False, note="gaps between frames")
corpus.error("stft", {"n_fft": 8, "hop_length": 0}, {"x": signal(33)}, note="frames that stand still")
corpus.error("stft", {"n_fft": 3}, {"x": signal(33)}, note="a quarter of three is no hop")
corpus.error("stft", {"n_fft": 0}, {"x": signal(33)}, note="no samples in a frame")
corpus.error("stft", {"n_fft": 8, "win_length": 9}, {"x": signal(33)}, note="a window longer than a frame")
corpus.error("stft", {"n_fft": 64, "center": False}, {"x": signal(33)}, note="shorter than a frame")
corpus.error("stft", {"n_fft": 8, "norm": "unitary"}, {"x": signal(33)}, note="no such norm")
corpus.error("stft", {"n_fft": 8, "pad_mode": "wrap"}, {"x": signal(33)}, note="no such way to continue")

positive = (hann + 0.25).astype(np.float32)
add("istft", spectrum(5, 9), positive, hop_length=2, note="n_fft from the bins")
add("istft", spectrum(2, 3, 5, 6), positive, n_fft=8, note="a batch, the hop is n / 4")
add("istft", spectrum(5, 9), positive[:7], n_fft=9, hop_length=3, note="odd frames, a shorter window")
add("istft", spectrum(5, 9), positive, hop_length=2, center=False, norm="ortho", note="no centring")
add("istft", spectrum(8, 6), positive, onesided=False, norm="forward", hop_length=3, note="all bins")
add("istft", spectrum(5, 6), positive, hop_length=3, length=12, note="cut")
add("istft", spectrum(5, 6), positive, hop_length=3, length=40, note="longer: what was padded, then zeros")
add("istft", spectrum(9, 6), positive, n_fft=8, hop_length=2, note="bins that are left out")
add("istft", spectrum(5, 6), hop_length=11, center=False, note="gaps between frames are 0")
corpus.error("istft", {"n_fft": 8, "hop_length": 0}, {"stft_matrix": spectrum(5, 6)}, note="frames that stand still")
corpus.error("istft", {}, {"stft_matrix": spectrum(1, 6)}, note="one bin stands for no samples")
corpus.error("istft", {}, {"stft_matrix": spectrum(5)}, note="one axis alone")
corpus.error("istft", {"n_fft": 8, "win_length": 9}, {"stft_matrix": spectrum(5, 6)}, note="longer than a frame")
corpus.save()
