#!/usr/bin/env bash
# Library   custom-float-quant 0.3.0, its presets mxfp4_e2m1, mxfp6_e2m3 and mxfp6_e3m2, with numpy 2.4.6
# Expected  OCP Microscaling Formats 1.0: the FP4 and FP6 elements have neither infinity nor NaN, the top exponent
#           holds numbers, so the largest are 6, 7.5 and 28, and every code of the format is kept as it is. ml_dtypes
#           0.6.0 has those values, asked for all codes
# Seen      the top exponent is kept for infinity as in IEEE 754: the largest are 3, 3.75 and 14, and the numbers
#           above them (2 of 8, 8 of 32, 4 of 32 that are not negative) become infinity, 4 in FP4 the smallest of them
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" \
    custom-float-quant==0.3.0 numpy==2.4.6 ml_dtypes==0.6.0
PYTHONPATH="$work/lib" python3 - <<'PY'
import ml_dtypes
import numpy as np
from custom_float_quant import CustomFloat

def lost(preset, dtype):
    """The largest values of preset and format, and how many values of the format come back as infinity."""
    codes = np.arange(2 ** ml_dtypes.finfo(dtype).bits // 2).astype(np.uint8)
    values = [float(v) for v in codes.view(dtype)]
    kept = CustomFloat.from_preset(preset)
    back = [kept.quantize(v) for v in values]
    infinite = [v for v, b in zip(values, back) if b == float("inf")]
    other = [v for v, b in zip(values, back) if b != float("inf") and b != v]
    return float(kept.max_finite_value), max(values), len(infinite), min(infinite, default=None), len(other)

seen = {}
for preset, dtype in (("mxfp4_e2m1", ml_dtypes.float4_e2m1fn), ("mxfp6_e2m3", ml_dtypes.float6_e2m3fn),
                      ("mxfp6_e3m2", ml_dtypes.float6_e3m2fn)):
    seen[preset] = lost(preset, dtype)
    text = "%s: largest %g, standard %g; %d values become infinity, from %s on; %d others differ"
    print(text % (preset, *seen[preset]))
same = seen == {"mxfp4_e2m1": (3.0, 6.0, 2, 4.0, 0), "mxfp6_e2m3": (3.75, 7.5, 8, 4.0, 0),
                "mxfp6_e3m2": (14.0, 28.0, 4, 16.0, 0)}
print("custom-float-quant 0.3.0 gives MXFP4 and MXFP6 half their range" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
