"""Entropy coding by plain integers: bounds in numpy float32, bit strings as text, states as Python integers.

Each stream is decoded here as well.
"""

import pathlib
import platform
import struct
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

F, T = np.float32, 65536


def bounds(prob):
    """c[0] = 0 .. c[S] = 65536 of one row"""
    S = len(prob)
    c, run = [0], F(0)
    for j in range(1, S):
        run = F(run + min(max(F(prob[j - 1]), F(0)), F(1)))
        v = int(np.floor(float(F(run * F(T - S))) + 0.5)) + j
        c.append(min(max(v, j), T - S + j))
    return c + [T]


def tables(prob):
    return [bounds(row) for row in prob]


def stored(c, S):
    return np.array([[x % T for x in row] for row in c], np.uint16).reshape(-1, S + 1).view(np.int16)


def header(magic, R, S):
    return magic + struct.pack("<II", R, S)


def range_bits(c, symbols):
    low, high, pending, text = 0, 2**32 - 1, 0, ""
    half, quarter = 2**31, 2**30
    for row, s in zip(c, symbols):
        span = high - low + 1
        low, high = low + span * row[s] // T, low + span * row[s + 1] // T - 1
        while True:
            if high < half:
                text, pending, less = text + "0" + "1" * pending, 0, 0
            elif low >= half:
                text, pending, less = text + "1" + "0" * pending, 0, half
            elif low >= quarter and high < 3 * quarter:
                pending, less = pending + 1, quarter
            else:
                break
            low, high = 2 * (low - less), 2 * (high - less) + 1
    last = "1" if low >= quarter else "0"
    return text + last + ("0" if last == "1" else "1") * (pending + 1)


def packed(text):
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def check_range(c, symbols, text):
    """Decodes with one window of 32 bits that is read anew from the text for every symbol."""
    low, high, at, borrowed = 0, 2**32 - 1, 0, 0
    for row, s in zip(c, symbols):
        code = int((text + "0" * 64)[: at + 32], 2) - borrowed  # as the encoder's interval counts, from its low end 0
        scaled = ((code - low + 1) * T - 1) // (high - low + 1)
        assert row[s] <= scaled < row[s + 1]
        span = high - low + 1
        low, high = low + span * row[s] // T, low + span * row[s + 1] // T - 1
        while high < 2**31 or low >= 2**31 or (low >= 2**30 and high < 3 * 2**30):
            less = 0 if high < 2**31 else 2**31 if low >= 2**31 else 2**30
            low, high, borrowed, at = 2 * (low - less), 2 * (high - less) + 1, 2 * (borrowed + less), at + 1
    assert len(text) == at + 2


def range_stream(c, symbols, S):
    text = range_bits(c, symbols)
    check_range(c, symbols, text)
    return np.frombuffer(header(b"MLXGERNG01", len(c), S) + packed(text), np.uint8)


def rans_stream(c, symbols, S):
    state, out = 2**23, []
    for row, s in reversed(list(zip(c, symbols))):
        f = row[s + 1] - row[s]
        while state >= 32768 * f:
            out.append(state % 256)
            state //= 256
        state = state // f * T + state % f + row[s]
    payload, x, got = out[::-1], state, []
    rest = iter(payload)
    for row in c:
        slot = x % T
        s = max(i for i in range(S) if row[i] <= slot)
        got.append(s)
        x = (row[s + 1] - row[s]) * (x // T) + slot - row[s]
        while x < 2**23:
            x = x * 256 + next(rest)
    assert got == list(symbols) and x == 2**23 and next(rest, None) is None
    return np.frombuffer(header(b"MLXGERNS01", len(c), S) + struct.pack("<I", state) + bytes(payload), np.uint8)


STREAMS = {"range": range_stream, "rans": rans_stream}


def add_coding(c, prob, symbols, note=""):
    prob, symbols = np.asarray(prob), np.asarray(symbols, np.int32)
    S = prob.shape[1]
    made = tables(prob)
    for coder, stream_of in STREAMS.items():
        stream = stream_of(made, symbols, S)
        c.add(f"{coder}_encode_from_prob", {}, {"prob": prob, "symbols": symbols}, [("stream", stream)], note=note)
        c.add(f"{coder}_decode_from_prob", {}, {"prob": prob, "stream": stream}, [("symbols", symbols)], note=note)


def add_tables(c, cdf, symbols, note=""):
    S = len(cdf[0]) - 1
    symbols = np.asarray(symbols, np.int32)
    stream = range_stream(cdf, symbols, S)
    c.add("range_encode", {}, {"cdf": stored(cdf, S), "symbols": symbols}, [("stream", stream)], note=note)
    c.add("range_decode", {}, {"cdf": stored(cdf, S), "stream": stream}, [("symbols", symbols)], note=note)


def random_tables(rng, R, S):
    return [[0, *sorted(rng.choice(np.arange(1, T), S - 1, replace=False).tolist()), T] for _ in range(R)]


def add_errors(c):
    prob, symbols = np.full((4, 4), 0.25, F), np.array([0, 1, 2, 3], np.int32)
    made = tables(prob)
    for coder, stream_of in STREAMS.items():
        stream = stream_of(made, symbols, 4)
        decode, encode = f"{coder}_decode_from_prob", f"{coder}_encode_from_prob"
        c.error(decode, {}, {"prob": prob, "stream": stream[:-1] if coder == "range" else stream[:21]},
                note="truncated")
        c.error(decode, {}, {"prob": prob, "stream": np.append(stream, np.uint8(0))}, note="a byte left over")
        c.error(decode, {}, {"prob": prob[:3], "stream": stream}, note="another number of rows")
        c.error(decode, {}, {"prob": prob, "stream": stream[:12]}, note="half a header")
        c.error(encode, {}, {"prob": prob, "symbols": symbols + 1}, note="a symbol beyond the last")
    padded = range_stream(made, symbols, 4).copy()
    padded[-1] |= 1
    c.error("range_decode_from_prob", {}, {"prob": prob, "stream": padded}, note="a set bit where the encoder pads")
    last = np.frombuffer(header(b"MLXGERNS01", 0, 4) + struct.pack("<I", 2**23 + 1), np.uint8)
    c.error("rans_decode_from_prob", {}, {"prob": prob[:0], "stream": last},
            note="no symbols, but a state beyond the first")
    state = stream.copy()
    state[18:22] = [0, 0, 127, 0]
    c.error("rans_decode_from_prob", {}, {"prob": prob, "stream": state}, note="a state below 2^23")
    bad = prob.copy()
    bad[1, 2] = np.inf
    c.error("normalized_cdf", {}, {"prob": bad}, note="an infinite probability")
    c.error("range_encode", {}, {"cdf": np.zeros((4, 5), np.int16), "symbols": symbols}, note="no widths")


def main():
    c = Corpus("entropy", source=f"python {platform.python_version()} integers, numpy {np.__version__} float32")
    rng = np.random.default_rng(10)
    for rows, want in (((.4, .3, .2, .1), [0, 26214, 45874, 58982]), ((.1, .2, .3, .4), [0, 6554, 19662, 39322]),
                       ((2, 2, 2), [0, 65534, 65535]), ((0, 1, 0), [0, 1, 65535]),
                       ((.7, .1, .1, .1), [0, 45873, 52428, 58982])):
        assert bounds(np.array(rows, F)) == want + [T]
        c.add("normalized_cdf", {}, {"prob": np.array([rows], F)}, [("cdf", stored([want + [T]], len(rows)))])
    for R, S, t in ((9, 2, F), (5, 33, F), (2, 300, F), (9, 5, np.float16)):
        prob = rng.exponential(1 / S, (R, S)).astype(t)
        prob[:, -1] = np.nan
        c.add("normalized_cdf", {}, {"prob": prob}, [("cdf", stored(tables(prob), S))], note="the last is never read")
    signed = 2 * rng.standard_normal((8, 6)).astype(F)
    c.add("normalized_cdf", {}, {"prob": signed}, [("cdf", stored(tables(signed), 6))], note="clamped to [0, 1]")
    worked = np.array([(.4, .3, .2, .1), (.1, .2, .3, .4), (.25,) * 4], F)
    assert packed(range_bits(tables(worked), [0, 3, 2])) == bytes.fromhex("54")
    assert bytes(rans_stream(tables(worked), [0, 3, 2], 4)[18:]) == bytes.fromhex("9c20840c")
    add_coding(c, worked, [0, 3, 2], "a worked example")
    uniform = np.full((16, 16), 1 / 16, F)
    assert packed(range_bits(tables(uniform), range(16))) == bytes.fromhex("0123456789abcdef40")
    add_coding(c, uniform, range(16), "sixteen symbols of four bits")
    add_coding(c, np.full((3, 2), 0.5, F), [1, 0, 1], "three bits")
    add_coding(c, np.zeros((0, 4), F), [], "no symbols")
    for R, S in ((1, 3), (70, 5), (8, 150)):
        prob = rng.dirichlet(np.full(S, 0.3), R).astype(F)
        likely = [int(rng.choice(S, p=row.astype(float) / row.astype(float).sum())) for row in prob]
        add_coding(c, prob, likely, "symbols as likely as they are said to be")
        if R == 70:
            add_coding(c, prob, rng.integers(0, S, R), "symbols of any likelihood")
    tight = np.zeros((50, 3), F)
    tight[:, 1] = 1
    add_coding(c, tight, rng.integers(0, 2, 50) * 2, "the least widths: sixteen bits each")
    add_coding(c, np.tile(np.array([[.5, 1, 0]], F), (80, 1)), [1] * 80,
               "the middle of the interval: bits left undecided")
    add_coding(c, rng.dirichlet(np.ones(5), 20).astype(np.float16), rng.integers(0, 5, 20), "float16")
    add_tables(c, random_tables(rng, 30, 7), rng.integers(0, 7, 30), "any widths")
    add_tables(c, [[0, 1, 2, 65535, T]] * 20, rng.integers(0, 4, 20), "widths of one")
    middle = [[0, 32767, 32769, T]] * 60
    add_tables(c, middle, [1] * 60, "about the middle: bits left undecided")
    add_errors(c)
    c.save()


if __name__ == "__main__":
    main()
