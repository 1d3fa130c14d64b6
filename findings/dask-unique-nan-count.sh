#!/usr/bin/env bash
# Library   dask 2026.8.0, dask.array.unique of floats with NaN, with numpy 2.4.6
# Expected  counts that add up to the length, and first indices, as numpy.unique gives them
# Seen      NaN is among the unique values with the count 0; return_index of the same array is an error about empty
#           arrays; with one chunk too
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" "dask[array]==2026.8.0" numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import dask.array as da
import numpy as np

x = np.array([np.nan, 1, np.nan, 1, np.nan])
values, counts = np.unique(x, return_counts=True)
same = np.array_equal(values, [1, np.nan], equal_nan=True) and counts.tolist() == [2, 3]
print("input", x.tolist(), "numpy", values.tolist(), counts.tolist())
for chunk in (5, 2):
    d = da.from_array(x, chunks=chunk)
    got = [part.compute(scheduler="synchronous") for part in da.unique(d, return_counts=True)]
    try:
        index = [part.compute(scheduler="synchronous").tolist() for part in da.unique(d, return_index=True)]
    except ValueError as error:
        index = str(error)
    print(f"dask in chunks of {chunk}", got[0].tolist(), got[1].tolist(), "with indices:", index)
    same = same and np.array_equal(got[0], values, equal_nan=True) and got[1].tolist() == [2, 0]
    same = same and isinstance(index, str)
print("dask 2026.8.0 counts no NaN" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
