#!/usr/bin/env python3
"""A backend that adds, by the protocol of docs/foreign.md and nothing else, with one fault: toy.py FAULT [FILE].

`none` has none. Each other fault is one that a judge must tell by its name; those under HOSTILE aim at the judge.
"""
import array
import ctypes
import json
import mmap
import os
import signal
import struct
import sys
import threading
import time

FAULT = sys.argv[1]
TABLE = sys.argv[2] if len(sys.argv) > 2 else ""


def send(answer):
    text = json.dumps(answer).encode()
    os.write(4, struct.pack("<I", len(text)) + text)


def take(n):
    got = b""
    while len(got) < n:
        part = os.read(3, n - len(got))
        if not part:
            sys.exit(0)
        got += part
    return got


def shared(descriptor, access):
    return mmap.mmap(descriptor, os.fstat(descriptor).st_size, access=access)


def half(x):
    try:
        return struct.unpack("e", struct.pack("e", x))[0]
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def row_major(t):
    step, steps = 1, []
    for n in reversed(t["shape"]):
        steps.insert(0, step)
        step *= n
    return all(n == 1 or s == w for n, s, w in zip(t["shape"], t["strides"], steps))


class Toy:
    def __init__(self):
        self.inputs, self.outputs = shared(5, mmap.ACCESS_READ), shared(6, mmap.ACCESS_WRITE)
        self.jobs, self.launches, self.last, self.memo, self.threads = {}, 0, b"", {}, 1
        self.seen, self.table, self.pending = {}, {}, None
        if TABLE and os.path.exists(TABLE):
            with open(TABLE, encoding="utf-8") as file:
                self.table = json.load(file)

    def refusal(self, call):
        tensors = [t for t in call["in"] if t]
        if FAULT == "frequencies":
            return "" if call["out"] else "the toy knows no other calls"
        if call["op"] != "add" or any(t["dtype"] != "f32" for t in tensors):
            return "the toy adds f32 \x1b[31monly" if FAULT == "control" else "the toy adds f32 only"
        if call["out"] is None:
            return ""
        if len(tensors) != 2 or tensors[0]["shape"] != tensors[1]["shape"] or not all(map(row_major, tensors)):
            return "the toy adds equal shapes in row-major order"
        return ""

    def numbers(self, t):
        at = t["offset"] + t["first"]
        count = 1
        for n in t["shape"]:
            count *= n
        return array.array("f", self.inputs[at:at + 4 * count])

    def frequencies(self, op, n, d):
        half = n // 2 + 1 if op == "rfftfreq" else (n + 1) // 2
        steps = (*range(half), *range(half - n, 0))
        return array.array("f", [k / (n * d) for k in steps[:half if op == "rfftfreq" else n]])

    def sum(self, call):
        if FAULT == "frequencies":
            return self.frequencies(call["op"], call["attrs"]["n"], call["attrs"]["d"]).tobytes()
        a, b = (self.numbers(t) for t in call["in"])
        if FAULT == "half":
            return array.array("f", [half(half(x) + half(y)) for x, y in zip(a, b)]).tobytes()
        if FAULT == "zeros":
            return bytes(4 * len(a))
        key = (a.tobytes(), b.tobytes())
        if FAULT == "memo" and key in self.memo:
            return self.memo[key]
        out = array.array("f", [x + y for x, y in zip(a, b)])
        wrong = {"value": True, "third": self.launches > 2, "threads": self.threads == 0}.get(FAULT, False)
        if wrong and len(out) > 2:
            out[2] += 1
        self.memo[key] = out.tobytes()
        return out.tobytes()

    def recorded(self, call, out):
        """Its answer to the n-th call of this shape in the first run that it saw."""
        shape = str(call["in"][0]["shape"])
        self.seen[shape] = n = self.seen.get(shape, 0) + 1
        key = f"{shape} {n} {self.threads}"
        if key in self.table:
            return bytes.fromhex(self.table[key])
        self.table[key] = out.hex()
        with open(TABLE, "w", encoding="utf-8") as file:
            json.dump(self.table, file)
        return out

    def launch(self, call, places):
        self.launches += 1
        if call["out"] is None:
            if FAULT == "accepts":
                return {"ok": 1}
            raise ValueError("shapes do not fit")
        FAULTS.get(FAULT, lambda toy, c: None)(self, call)
        call["places"] = places or [call["out"][0]["offset"]]
        out, at = self.sum(call), call["places"][0]
        if FAULT == "first_place":
            at = call["out"][0]["offset"]
        if FAULT == "previous":
            out, self.last = (self.last + out)[:len(out)], out
        if FAULT == "table":
            out = self.recorded(call, out)
        if FAULT == "unwritten":
            out = out[:4 * (len(out) // 8)]
        if FAULT == "overrun":
            out += b"\0\0\0\0"
        if FAULT == "underrun":
            self.outputs[at - 1:at] = b"\0"
        if FAULT == "late":
            threading.Timer(0.02, self.write, (at, out)).start()
        elif FAULT == "deferred" and self.launches == 1:
            self.pending = (at, out)
        else:
            self.write(at, out)
        return {"ok": 1}

    def flush(self):
        """What was deferred is written when the next request is there."""
        if self.pending:
            self.write(*self.pending)
        self.pending = None

    def write(self, at, out):
        self.outputs[at:at + len(out)] = out

    def wait(self, call):
        if call["out"] is None:
            return {"out": [{"dtype": "f32", "shape": [1], "offset": 0}]}
        place = {**{key: call["out"][0][key] for key in ("dtype", "shape")}, "offset": call["places"][0]}
        place.update({"shape": {"shape": [1, *place["shape"]]}, "dtype": {"dtype": "f16"},
                      "unknown_dtype": {"dtype": "f8"}, "text": {"offset": str(place["offset"])},
                      "outside": {"offset": 1 << 62}, "negative": {"offset": -4096},
                      "inside": {"offset": place["offset"] + 4}}.get(FAULT, {}))
        return {"out": [] if FAULT == "nothing" else [place]}


def write_input(toy, call):
    os.pwrite(5, b"\0", call["in"][0]["offset"])


def write_input_in_place(toy, call):
    address = ctypes.CDLL(None)
    address.mmap.restype = ctypes.c_void_p
    place = address.mmap(None, ctypes.c_size_t(4096), 1, 1, 5, ctypes.c_long(0))
    ctypes.memset(place, 0, 16)


def cut_memory(toy, call):
    os.ftruncate(6, 0)


def raise_word(word, error):
    def fault(toy, call):
        raise error(word)
    return fault


FAULTS = {
    "input": write_input, "input_in_place": write_input_in_place, "cut": cut_memory,
    "sleep": lambda toy, call: time.sleep(3600),
    "signal": lambda toy, call: os.kill(os.getpid(), signal.SIGFPE),
    "exit": lambda toy, call: os._exit(3),
    "raise": raise_word("the toy does not want to", ValueError),
    "claims": raise_word("not that one", NotImplementedError),
    "no_word": raise_word("", RuntimeError),
    "memory": raise_word("no memory", MemoryError),
    "print": lambda toy, call: sys.stderr.write("the toy says it all\n" * 100000),
    "leaves": lambda toy, call: (print("last words", flush=True), os.close(3), os.close(4), time.sleep(3600)),
}

HOSTILE = {
    "garbage": b"\xde\xad\xbe\xef" * 16,
    "giant": struct.pack("<I", 0xFFFFFFFF),
    "long": struct.pack("<I", 2 << 20) + b"[" * (2 << 20),
    "empty": struct.pack("<I", 0),
    "no_json": struct.pack("<I", 3) + b"{,}",
    "list": struct.pack("<I", 2) + b"[]",
    "deep": struct.pack("<I", 1000) + b"[" * 1000,
    "twice": (struct.pack("<I", 8) + b'{"ok":1}') * 40,
    "flood": b"\0\0\1\0" + b" " * (64 << 20),
    "half_frame": struct.pack("<I", 100) + b"{",
}


def error_of(e):
    for kind, reason in ((PermissionError, "input"), (NotImplementedError, "unsupported"), (MemoryError, "memory"),
                         (ValueError, "shape")):
        if isinstance(e, kind):
            return {"error": reason, "what": str(e)}
    return {"error": "sorry" if FAULT == "no_word" else "raised", "what": f"{type(e).__name__}: {e}"}


def answer(toy, request):
    if "wait" not in request:
        toy.flush()
    if "hello" in request:
        toy.threads = request["hello"]["threads"]
        spoken = 1 if FAULT == "protocol_1" else 2
        return {"protocol": spoken, "name": "toy", "version": "1", "library": __file__, "device": "cpu"}
    if "manifest" in request:
        claim = {"unknown_key": {"ordre": "any"}, "bad_order": {"order": "lanes:0"}}.get(FAULT, {})
        named = {"unknown_op": ["ad"], "frequencies": ["fftfreq", "rfftfreq"]}.get(FAULT, ["add"])
        return {"plumb": 1, "ops": {name: claim for name in named}}
    if "supports" in request:
        return {"refuse": [toy.refusal(c) for c in request["supports"]][FAULT == "few":]}
    if "prepare" in request:
        toy.jobs[request["prepare"]] = request["call"]
    if "launch" in request:
        return toy.launch(toy.jobs[request["launch"]], request.get("out"))
    if "wait" in request:
        return toy.wait(toy.jobs[request["wait"]])
    return {"ok": 1}


def main():
    toy, failed = Toy(), None
    while True:
        request = json.loads(take(struct.unpack("<I", take(4))[0]))
        if "launch" in request:
            failed = None
            if FAULT in HOSTILE:
                os.write(4, HOSTILE[FAULT])
                time.sleep(3600)
        try:
            send(failed if failed and "wait" in request else answer(toy, request))
        except Exception as e:  # whatever went wrong is an answer
            failed = error_of(e)
            send(failed)
        if "bye" in request:
            sys.exit(0)


main()
