#!/usr/bin/env bash
# Library   safetensors 0.8.0, safetensors.numpy, with the float8 dtypes of ml_dtypes 0.6.0 and numpy 2.4.6
# Expected  what save_file accepts, load_file of the same module reads back, as it does for bfloat16, also of
#           ml_dtypes
# Seen      save_file takes float8_e4m3fn, e5m2, e8m0fnu and e4m3fnuz and writes right files (F8_E4M3, F8_E5M2,
#           F8_E8M0, F8_E4M3FNUZ, one byte an element), but load_file raises AttributeError: it looks for the dtype in
#           numpy, which has none of them; one such tensor keeps all others of its file from being loaded
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" safetensors==0.8.0 numpy==2.4.6 ml_dtypes==0.6.0
PYTHONPATH="$work/lib" python3 - "$work/x.safetensors" <<'PY'
import json
import sys
import ml_dtypes
import numpy as np
from safetensors.numpy import load_file, save_file

path = sys.argv[1]

def written(dtype):
    """The name of the type in the file, whether its bytes are right, and what becomes of loading it beside an f32."""
    x = np.array([0.5, 1, 2, 4]).astype(dtype)
    save_file({"x": x, "y": np.ones(2, np.float32)}, path)
    raw = open(path, "rb").read()
    end = 8 + int.from_bytes(raw[:8], "little")
    entry = json.loads(raw[8:end])["x"]
    begin, stop = entry["data_offsets"]
    right = raw[end + begin:end + stop] == x.tobytes()
    try:
        return entry["dtype"], right, "equal" if (load_file(path)["x"] == x).all() else "differs"
    except AttributeError as error:
        return entry["dtype"], right, "AttributeError"

seen = [written(t) for t in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2,
                             ml_dtypes.float8_e8m0fnu, ml_dtypes.float8_e4m3fnuz)]
for name, right, outcome in seen:
    print(f"{name}: bytes in the file right: {right}; load_file: {outcome}")
same = seen == [("BF16", True, "equal")] + [(n, True, "AttributeError")
                                            for n in ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ")]
print("safetensors.numpy 0.8.0 writes float8 that it cannot load" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
