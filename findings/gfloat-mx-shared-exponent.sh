#!/usr/bin/env bash
# Library   gfloat 0.5.2, compute_scale_amax and quantize_block for the OCP MX formats, with numpy 2.4.6
# Expected  OCP Microscaling Formats 1.0, section 6.3: the shared exponent is that of the largest power of two that
#           does not exceed the largest magnitude, less the greatest exponent of the element type
# Seen      it is floor(log2(amax)) in the arithmetic of the input, and log2 of the numbers just below a power of two
#           rounds up to it: amax = nextafter(8, 0) gives the scale of 8, twice the right one, in float32 and in
#           float64. The MXFP6 E2M3 block [amax, 0.125, 0.375] then loses its small elements: 0.125 becomes 0, 0.375
#           becomes 0.5
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" gfloat==0.5.2 numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import math
import numpy as np
from gfloat import compute_scale_amax, quantize_block
from gfloat.formats import format_info_mxfp6_e2m3 as e2m3

def doubled(dtype):
    """The powers of two from 2^-100 to 2^100 just below which the scale is twice the one of the standard."""
    found = []
    for k in range(-100, 101):
        amax = np.nextafter(dtype(2.0) ** k, dtype(0))
        right = 2.0 ** (math.frexp(float(amax))[1] - 1 - e2m3.etype.emax)
        if compute_scale_amax(e2m3.etype.emax, np.array([amax])) == 2 * right:
            found.append(k)
    return found

wide, single = doubled(np.float64), doubled(np.float32)
print(f"scale doubled below {len(single)} of 201 powers of two in float32, {len(wide)} in float64; of 8 in both:",
      3 in single and 3 in wide)
block = np.zeros(32)
block[:3] = np.nextafter(8.0, 0.0), 0.125, 0.375
got = quantize_block(e2m3, block, compute_scale_amax)[:3].tolist()
right = quantize_block(e2m3, block, lambda emax, vals: 2.0 ** (math.frexp(np.abs(vals).max())[1] - 1 - emax))
right = right[:3].tolist()
print("block", block[:3].tolist(), "gives", got, "with the exponent of the standard", right)
same = 3 in single and 3 in wide and 0 not in wide and got[1:] == [0.0, 0.5] and right[1:] == [0.125, 0.375]
print("gfloat 0.5.2 doubles MX scales just below powers of two" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
