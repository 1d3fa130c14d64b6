"""Writes recorded cases: conformance/corpus/<wing>/<family>/cases.json + data.safetensors (docs/corpus.md).

    from corpus import Corpus
    c = Corpus("sort", source="numpy 2.3.1")
    a = np.array([3.0, 1.0], np.float32)
    c.add("argsort", {"axis": -1}, {"a": a}, [("out", np.argsort(a, kind="stable").astype(np.uint32))])
    c.add("softmax", {"axis": -1}, {"a": a}, [("out", y)], compare="close", tol=(5e-6, 1e-6))
    c.error("argsort", {"axis": 5}, {"a": a}, error="invalid_argument")
    c.save()

Only third-party software computes values here. bfloat16 arrays come from ml_dtypes, or from 16-bit words
as bf16_words(words). Files depend on nothing but the calls, so a script writes the same bytes each time.
"""

import json
import os
import struct
import sys

import numpy as np

GOLDEN = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(os.path.dirname(GOLDEN), "corpus")

TAGS = {
    "bool": "BOOL", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64", "complex64": "C64",
}


class bf16_words:
    """Marks an array of uint16 as the upper halves of binary32 values."""

    def __init__(self, words):
        self.words = np.asarray(words, np.uint16)


def tagged(value):
    """(tag, shape, little-endian row-major bytes) of an array."""
    if isinstance(value, bf16_words):
        return "BF16", list(value.words.shape), value.words.astype("<u2").tobytes()
    value = np.asarray(value)
    tag = TAGS[value.dtype.name]
    if tag == "BF16":
        return tag, list(value.shape), value.view(np.uint16).astype("<u2").tobytes()
    return tag, list(value.shape), value.astype(value.dtype.newbyteorder("<")).tobytes()


def write_safetensors(path, tensors, metadata):
    """tensors: name -> array, written in the order given."""
    header, blob = {"__metadata__": metadata}, b""
    for name, value in tensors.items():
        tag, shape, data = tagged(value)
        header[name] = {"dtype": tag, "shape": shape, "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + blob)


class Corpus:
    def __init__(self, family, source):
        self.family, self.source = family, source
        self.cases, self.tensors = [], {}

    def add(self, op, attrs, inputs, outputs, compare="exact", tol=None, note="", source=None,
            signed_zero=False, check=None):
        """outputs: [(name, array), ...]; tol: (rtol, atol) for all outputs, or a list with one pair each."""
        case = self._case(op, attrs, inputs, note, source)
        case["outputs"] = [self._tensor(f"{case['id']}.out.{name}", value) for name, value in outputs]
        case["compare"] = compare
        if compare != "exact":
            pairs = tol if isinstance(tol, list) else [tol] * len(outputs)
            case["tol"] = [[float(r), float(a)] for r, a in pairs]
        if check:
            case["check"] = check
        if signed_zero:
            case["signed_zero"] = True
        return case["id"]

    def error(self, op, attrs, inputs, error="invalid_argument", note="", source=None):
        """error: invalid_argument, out_of_range or runtime_error."""
        case = self._case(op, attrs, inputs, note, source)
        case["error"] = error
        return case["id"]

    def save(self, folder=None):
        wing = os.path.relpath(os.path.dirname(os.path.abspath(sys.argv[0])), GOLDEN)  # that of the script
        folder = folder or os.path.join(CORPUS, wing, self.family)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "cases.json"), "w") as f:
            f.write("[\n" + ",\n".join(json.dumps(c) for c in self.cases) + "\n]\n")
        write_safetensors(os.path.join(folder, "data.safetensors"), self.tensors, {"family": self.family})
        size = sum(os.path.getsize(os.path.join(folder, n)) for n in ("cases.json", "data.safetensors"))
        print(f"{folder}: {len(self.cases)} cases, {size} bytes")

    def _case(self, op, attrs, inputs, note, source):
        number = sum(1 for c in self.cases if c["op"] == op)
        case = {"id": f"{self.family}.{op}.{number:03d}", "op": op, "attributes": attrs, "inputs": {}}
        for name, value in inputs.items():
            case["inputs"][name] = self._tensor(f"{case['id']}.in.{name}", value)
        case["note"], case["source"] = note, source or self.source
        self.cases.append(case)
        return case

    def _tensor(self, key, value):
        self.tensors[key] = value
        return key
