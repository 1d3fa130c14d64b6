"""Recorded random words: Threefry-2x32-20 in Python integers, held against mlx.random.split and published answers."""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

M = 0xFFFFFFFF


def threefry(key, counter):
    k = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA]
    x = [(counter[0] + k[0]) & M, (counter[1] + k[1]) & M]
    for block in range(5):
        for r in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
            x[0] = (x[0] + x[1]) & M
            x[1] = ((x[1] << r | x[1] >> (32 - r)) & M) ^ x[0]
        x[0] = (x[0] + k[(block + 1) % 3]) & M
        x[1] = (x[1] + k[(block + 2) % 3] + block + 1) & M
    return x


def bits(key, shape, width):
    size = int(np.prod(shape, dtype=np.int64)) * width
    total = (size + 3) // 4
    h, odd = divmod(total, 2)
    words = [0] * total
    for i in range(h):
        words[i], words[i + h + odd] = threefry(key, (i, i + h + odd))
    if odd:
        words[h] = threefry(key, (h, 0))[0]
    data = b"".join(w.to_bytes(4, "little") for w in words)[:size]
    return np.frombuffer(data, {1: np.uint8, 2: "<u2", 4: "<u4"}[width]).reshape(shape)


# Salmon et al. 2011, known answers of Random123.
assert threefry((0, 0), (0, 0)) == [0x6B200159, 0x99BA4EFE]
assert threefry((M, M), (M, M)) == [0x1CB996FC, 0xBB002BE7]
assert threefry((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3)) == [0xC4923A9C, 0x483DF7A0]
for seed in (0, 1, 42, 2**32 + 7, 2**64 - 1):
    key = (seed >> 32, seed & M)
    for n in (1, 2, 3, 5, 64):
        assert np.array_equal(np.array(mx.random.split(mx.random.key(seed), n)), bits(key, (n, 2), 4))

c = Corpus("bits", source="Python integers, equal to mlx " + mx.__version__ + " where it shows these words")
KEYS = [(0, 0), (0, 1), (0, 42), (M, M), (0x9E3779B9, 0x12345678)]
SHAPES = [(), (1,), (2,), (3,), (5,), (6,), (7,), (8,), (9,), (16,), (33,), (2, 3), (3, 5, 7), (0, 4), (1025,)]
for width in (1, 2, 4):
    for i, shape in enumerate(SHAPES):
        key = KEYS[i % len(KEYS)]
        c.add("bits", {"shape": list(shape), "width": width}, {"key": np.array(key, np.uint32)},
              [("out", bits(key, shape, width))])
good = np.array([0, 1], np.uint32)
c.error("bits", {"shape": [2], "width": 3}, {"key": good}, note="width must be 1, 2 or 4")
c.error("bits", {"shape": [2, -1], "width": 4}, {"key": good}, note="negative extent")
c.error("bits", {"shape": [2], "width": 4}, {"key": good.astype(np.int32)}, note="a key is uint32")
c.error("bits", {"shape": [2], "width": 4}, {"key": np.zeros(3, np.uint32)}, note="a key has two words")
MLX = "mlx " + mx.__version__
for seed in (0, 1, 42, 2**32, 2**32 + 1, 1234567890123456789, 2**63, 2**64 - 1):
    c.add("key", {"seed": str(seed)}, {}, [("key", np.array(mx.random.key(seed)))], source=MLX)
for seed in ("-1", "18446744073709551616", "1.5", ""):
    c.error("key", {"seed": seed}, {}, note="a seed is a whole number of 64 bits")
for i, n in enumerate((0, 1, 2, 3, 4, 17, 63, 512)):
    key = np.array(KEYS[i % len(KEYS)], np.uint32)
    c.add("split", {"num": n}, {"key": key}, [("keys", np.array(mx.random.split(mx.array(key), n)))], source=MLX)
c.error("split", {"num": -1}, {"key": good}, note="a negative number of keys")
c.error("split", {"num": 2}, {"key": good.reshape(1, 2)}, note="a key has one axis")
c.save()
