#!/usr/bin/env bash
# Library   mlx 0.32.4 (CPU), mx.random.randint of int64 and int32, with numpy 2.4.6
# Expected  each integer of the range can be drawn, for each dtype that is accepted
# Seen      the integers are products of float32: all draws from 0 to 2^40 in int64 are multiples of 256 and those of
#           the upper half multiples of 65536; two thirds of the draws from 0 to 2^31 - 1 in int32 are multiples of 128,
#           where 1 in 128 should be, so most numbers above 2^24 are never drawn
# Exit      0 while that is so, 1 as soon as anything differs
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-compile --target "$work/lib" 'mlx[cpu]==0.32.4' numpy==2.4.6
PYTHONPATH="$work/lib" python3 - <<'PY'
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)

def draw(high, dtype):
    return np.array(mx.random.randint(0, high, (100000,), dtype, key=mx.random.key(5)))

wide, narrow, small = draw(2 ** 40, mx.int64), draw(2 ** 31 - 1, mx.int32), draw(2 ** 16, mx.int32)
everywhere = int(np.gcd.reduce(wide))
upper = int(np.gcd.reduce(wide[wide >= 2 ** 39]))
share, fair = float((narrow % 128 == 0).mean()), float((small % 128 == 0).mean())
print(f"0 to 2^40 in int64: all multiples of {everywhere}, in the upper half of {upper}")
print(f"multiples of 128: {share:.4f} of the draws up to 2^31 - 1, {fair:.4f} up to 2^16, fair {1 / 128:.4f}")
same = everywhere == 256 and upper == 65536 and 0.6 < share < 0.75 and fair < 0.01
print("mlx 0.32.4 draws integers from the grid of float32" if same else "CHANGED: no longer what was seen")
raise SystemExit(not same)
PY
