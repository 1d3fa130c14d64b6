#!/usr/bin/env bash
# Library   simsimd 6.5.16, kullbackleibler and jensenshannon of float64 and float32, with numpy 2.4.6
# Expected  the sum of p log(p / q) in nats, as for float16 input, where it is right to three digits
# Seen      of float64 and float32 they are far off, for plain positive distributions that add up to 1: for ten pairs of
#           33 random numbers the divergence is 95 to 9 million times the true one and the Jensen-Shannon distance 8 to
#           10 % too large; of (0.5, 0.5) against (0.25, 0.75) it is 0.216, true 0.144. numkong 7.8.6, the successor,
#           is right
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" simsimd==6.5.16 numkong==7.8.6 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import math
import numkong
import numpy as np
import simsimd

def exact(p, q):
    """The divergence of p from q, and the Jensen-Shannon distance, of the numbers as they are stored."""
    p, q = p.astype(float).tolist(), q.astype(float).tolist()
    middle = [(a + b) / 2 for a, b in zip(p, q)]
    divergence = [math.fsum(a * math.log(a / b) for a, b in zip(x, y)) for x, y in ((p, q), (p, middle), (q, middle))]
    return divergence[0], math.sqrt((divergence[1] + divergence[2]) / 2)

def ratios(library, p, q):
    true = exact(p, q)
    return float(library.kullbackleibler(p, q)) / true[0], float(library.jensenshannon(p, q)) / true[1]

same = True
rng = np.random.default_rng(33)
pairs = [rng.random((2, 33)) for _ in range(10)]
for dtype in (np.float64, np.float32, np.float16):
    given = [[(row / row.sum()).astype(dtype) for row in pair] for pair in pairs]
    for library in (simsimd, numkong):
        kl, js = zip(*(ratios(library, p, q) for p, q in given))
        print(f"{library.__name__} {np.dtype(dtype)}: divergence {min(kl):.4g} to {max(kl):.4g} times the true one,"
              f" distance {min(js):.4g} to {max(js):.4g}")
        wrong = library is simsimd and dtype is not np.float16
        same &= (min(kl) > 2 and min(js) > 1.02) if wrong else max(abs(r - 1) for r in kl + js) < 0.02
p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
print("(0.5, 0.5) against (0.25, 0.75):", float(simsimd.kullbackleibler(p, q)), "true", exact(p, q)[0])
same &= ratios(simsimd, p, q)[0] > 1.1
print("simsimd 6.5.16: divergences are far too large" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
