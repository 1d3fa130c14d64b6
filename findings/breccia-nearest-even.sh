#!/usr/bin/env bash
# Library   breccia 0.1.3 (block-scaled tensors: MXFP8, NVFP4, INT4), its encoders of FP4 E2M1 and FP8 E4M3, with
#           numpy 2.4.6
# Expected  a value half-way between two codes goes to the even code: OCP Microscaling Formats 1.0 demands
#           roundTiesToEven of conversions to its element formats, and ml_dtypes 0.6.0 does so, asked on the same
#           values
# Seen      every tie goes towards zero, in both formats, so 3.5 becomes 3 (even: 4) and 19 becomes 18 (even: 20):
#           half of all ties are wrong and all errors have one sign; values between ties agree
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" breccia==0.1.3 numpy==2.4.6 ml_dtypes==0.6.0
PYTHONPATH="$work/lib" python3 - <<'PY'
import ml_dtypes
import numpy as np
from breccia import _formats as formats

def judge(encode, decode, dtype):
    """Counts agreement over all positive ties of the format, and over the points a quarter step from them."""
    codes = np.arange(2 ** ml_dtypes.finfo(dtype).bits // 2).astype(np.uint8)
    values = codes.view(dtype).astype(np.float32)
    values = values[np.isfinite(values)]
    low, step = values[:-1], np.diff(values)
    wrong = {}
    for name, at in (("ties", low + step / 2), ("below", low + step / 4), ("above", low + step * 3 / 4)):
        got = decode(encode(at))
        even = at.astype(dtype).astype(np.float32)
        wrong[name] = int((got != even).sum())
        if name == "ties":
            toward_zero = bool((got == low).all())
    return len(low), wrong, toward_zero

four = judge(formats.encode_e2m1, formats.decode_e2m1, ml_dtypes.float4_e2m1fn)
eight = judge(formats.encode_e4m3, formats.decode_e4m3, ml_dtypes.float8_e4m3fn)
for name, (ties, wrong, toward_zero) in (("E2M1", four), ("E4M3", eight)):
    print(f"{name}: {ties} ties, {wrong['ties']} differ from the even code (all towards zero: {toward_zero});"
          f" a quarter step off the tie {wrong['below'] + wrong['above']} differ")
same = (four == (7, {"ties": 3, "below": 0, "above": 0}, True)
        and eight == (126, {"ties": 63, "below": 0, "above": 0}, True))
print("breccia 0.1.3 rounds ties towards zero, not to even" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
