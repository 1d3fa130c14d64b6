"""The kit of an adapter: a program by which Plumbline judges a library that is not its own.

    import numpy as np
    import plumb_adapter

    OPS = {"sqrt": lambda a, x: np.sqrt(x),
           "max": lambda a, x: np.max(x, axis=a["axis"], keepdims=a["keepdims"])}
    plumb_adapter.run("numpy", np.__version__, OPS)

A function takes the attributes, as a dict by their names in the row, and the inputs in the row's order (None: not
given); it returns the outputs in the row's order, one alone as it is. It may raise `Fail` with one of our reasons, or
any exception that `reasons` maps to one. What the library is not asked for is said by `refuse`, in words.

The judge writes requests to descriptor 3 and reads answers from descriptor 4, both JSON behind a length of four bytes,
little-endian; inputs lie in the shared memory of descriptor 5, sealed against writing, outputs go to that of 6.
"""
import gc
import json
import mmap
import os
import struct
import sys

import numpy as np

# Words for why a call is an error; `input`: the library tried to write one, `raised`: no table knows the exception.
REASONS = ("arity", "attribute", "axis", "device", "domain", "dtype", "memory", "rank", "shape", "unsupported", "input",
           "raised")
USUAL = [(ValueError, "read-only", "input"), (MemoryError, "", "memory"), (NotImplementedError, "", "unsupported"),
         (IndexError, "", "axis"), (TypeError, "", "dtype"), (ValueError, "", "shape"), (Exception, "", "raised")]
DTYPES = {"bool": np.bool_, "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64, "i8": np.int8,
          "i16": np.int16, "i32": np.int32, "i64": np.int64, "f16": np.float16, "f32": np.float32, "f64": np.float64,
          "c64": np.complex64}
DTYPES = {name: np.dtype(t) for name, t in DTYPES.items()}
try:
    import ml_dtypes
    DTYPES["bf16"] = np.dtype(ml_dtypes.bfloat16)
except ImportError:  # calls with bf16 are then refused
    pass
NAMES = {t: name for name, t in DTYPES.items()}
NUMBERS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
LONGEST = 16 << 20  # bytes of a frame
TEXT = 300          # characters of what an error says


class Fail(Exception):
    """The call is an error, for one of REASONS."""

    def __init__(self, reason, what=""):
        super().__init__(what)
        self.reason = reason


def plain(value):
    """An attribute as Python has it: numbers that are not finite come as words."""
    if isinstance(value, list):
        return [plain(x) for x in value]
    return NUMBERS.get(value, value) if isinstance(value, str) else value


def numpy_view(memory, spec):
    """The tensor as an array on the shared memory itself, with the strides that the judge gave it."""
    t = DTYPES[spec["dtype"]]
    if 0 in spec["shape"]:
        return np.empty(spec["shape"], t)
    first = spec["offset"] + spec["first"]
    return np.ndarray(spec["shape"], t, memory, first, [s * t.itemsize for s in spec["strides"]])


def shared(descriptor, access):
    return mmap.mmap(descriptor, os.fstat(descriptor).st_size, access=access)


def described(array):
    return {"dtype": NAMES.get(array.dtype, str(array.dtype)), "shape": list(array.shape), "offset": 0}


class Job:
    """A call that is prepared: the function, and its inputs as views."""

    def __init__(self, adapter, call):
        self.adapter, self.call, self.found, self.error, self.places = adapter, call, None, None, None
        self.function = adapter.ops.get(call["op"])
        if self.function is None:
            raise Fail("unsupported", f"no function for {call['op']}")
        self.arguments = [None if t is None else adapter.load(numpy_view(adapter.inputs, t)) for t in call["in"]]
        self.attributes = {name: plain(value) for name, value in call["attrs"].items()}

    def launch(self, places):
        """To the places of `prepare`, or to others that this launch names."""
        self.error, self.places = None, places
        try:
            found = self.function(self.attributes, *self.arguments)
            self.found = list(found) if isinstance(found, (tuple, list)) else [found]
        except Exception as error:  # any exception of the library is an answer
            self.error = self.adapter.error(error)
        return self.error or {"ok": 1}

    def wait(self):
        if self.error:
            return self.error
        found = [self.adapter.store(x) for x in self.found]
        wanted = self.call["out"]
        if wanted is None:  # a call that had to be refused
            return {"out": [described(x) for x in found]}
        places = self.places or [t["offset"] for t in wanted]
        return {"out": [self.written(x, t, place) for x, t, place in zip(found, wanted, places)]}

    def written(self, array, t, place):
        """What lies where the judge wants it, or what the library returned in its place."""
        if array.dtype != DTYPES[t["dtype"]] or list(array.shape) != t["shape"]:
            return described(array)
        np.ndarray(array.shape, array.dtype, self.adapter.outputs, place)[...] = array
        return {"dtype": t["dtype"], "shape": t["shape"], "offset": place}


class Adapter:
    """What answers the judge's requests, one after the other."""

    def __init__(self, ops, load, store, reasons, refuse, hello, manifest):
        self.ops, self.load, self.store, self.reasons, self.refuse = ops, load, store, (*reasons, *USUAL), refuse
        self.hello, self.claims, self.jobs, self.left = hello, manifest, {}, b""
        self.said = bytearray()  # answers that are not sent yet
        self.inputs, self.outputs = shared(5, mmap.ACCESS_READ), shared(6, mmap.ACCESS_WRITE)

    def error(self, error):
        what = str(error)
        if isinstance(error, Fail):
            reason = error.reason
        else:
            reason = next(r for kind, text, r in self.reasons if isinstance(error, kind) and text in what)
            what = f"{type(error).__name__}: {what}"
        return {"error": reason, "what": what[:TEXT]}

    def refusal(self, call):
        if call["op"] not in self.ops:
            return "the adapter has no function for it"
        lacking = {t["dtype"] for t in call["in"] + (call["out"] or []) if t} - set(DTYPES)
        return f"no {min(lacking)} here" if lacking else self.refuse(call)

    def asked(self, call):
        try:
            return self.refusal(call)
        except Exception as error:  # what cannot be asked about cannot be called
            return f"{type(error).__name__}: {error}"

    def answer(self, request):
        if "launch" in request:
            return self.jobs[request["launch"]].launch(request.get("out"))
        if "wait" in request:
            return self.jobs[request["wait"]].wait()
        if "prepare" in request:
            self.jobs[request["prepare"]] = Job(self, request["call"])
        elif "release" in request:
            self.jobs.pop(request["release"], None)
        elif "supports" in request:
            return {"refuse": [self.asked(call)[:TEXT] for call in request["supports"]]}
        elif "hello" in request:
            return {"protocol": max({1, 2} & set(request["hello"]["protocol"])), **self.hello}
        elif "manifest" in request:
            return {"plumb": 1, "ops": {op: self.claims.get(op, {}) for op in self.ops}}
        elif "reset" in request:
            self.jobs.clear()
        elif "bye" not in request:
            raise Fail("unsupported", f"no such request: {', '.join(request)}")
        return {"ok": 1}

    def read(self, n):
        while len(self.left) < n:
            self.send()  # before it is waited: several requests that come at once are answered at once
            got = os.read(3, 1 << 16)
            if not got:
                sys.exit(0)  # the judge has gone
            self.left += got
        part, self.left = self.left[:n], self.left[n:]
        return part

    def serve(self):
        gc.freeze()  # what is imported stays: it need not be looked through again and again
        request = {}
        while "bye" not in request:
            (length,) = struct.unpack("<I", self.read(4))
            if length > LONGEST:
                sys.exit(f"a frame of {length} bytes")
            request = json.loads(self.read(length))
            try:
                answer = self.answer(request)
            except Exception as error:  # a request that fails must not end the program
                answer = self.error(error)
            text = json.dumps(answer).encode()
            self.said += struct.pack("<I", len(text)) + text
        self.send()

    def send(self):
        while self.said:
            del self.said[:os.write(4, self.said)]


def run(name, version, ops, *, load=lambda view: view, store=np.asarray, reasons=(), refuse=lambda call: "", library="",
        device="cpu", manifest=None):
    """Answers the judge until it says goodbye.

    load     from a NumPy view (read-only, any strides) to what the functions take
    store    from what they return to a NumPy array, complete
    reasons  (exception class, part of its text, reason): the first that fits an exception is its reason; USUAL follow
    refuse   why a call is not for this library, in words; "" takes it. Sees dtypes, shapes and attributes, no values
    library  the path of what is judged, for the report
    manifest claims by operation: orders of sums, dtypes of accumulators
    """
    Adapter(ops, load, store, reasons, refuse, {"name": name, "version": version, "library": library, "device": device},
            manifest or {}).serve()
