"""Writes conformance/files/: small files of tensors as NumPy, MLX and the gguf package write them, and what they hold.

holds.json says for each file the dtype, shape and row-major little-endian bytes of each tensor, by NumPy.
Needs numpy, ml_dtypes, mlx[cpu] and gguf.
"""

import importlib.metadata
import json
import pathlib
import shutil

import gguf
import ml_dtypes
import mlx.core as mx
import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "files"
NAMES = {"bool": "bool", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "int8": "i8",
         "int16": "i16", "int32": "i32", "int64": "i64", "float16": "f16", "bfloat16": "bf16", "float32": "f32",
         "float64": "f64", "complex64": "c64"}
holds = {}


def facts(a):
    dense = np.ascontiguousarray(a).reshape(a.shape)
    return {"spec": f"{NAMES[a.dtype.name]}[{','.join(map(str, a.shape))}]",
            "bytes": dense.astype(dense.dtype.newbyteorder("<")).tobytes().hex()}


def saved(name, tensors, metadata=None):
    holds[name] = {"tensors": {key: facts(a) for key, a in tensors.items()}, "metadata": metadata or {}}


def values(dtype, shape=(2, 3)):
    x = np.arange(1, 1 + int(np.prod(shape))).reshape(shape)
    return (x * (1 - 2j) if np.dtype(dtype).kind == "c" else x).astype(dtype)


shutil.rmtree(FOLDER, ignore_errors=True)
for part in ("dtypes", "numpy", "mlx", "gguf"):
    (FOLDER / part).mkdir(parents=True)
PLAIN = [np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64, np.float16,
         np.float32, np.float64, np.complex64]
for dtype in PLAIN:
    name = f"dtypes/{NAMES[np.dtype(dtype).name]}.npy"
    np.save(FOLDER / name, values(dtype))
    saved(name, {"": values(dtype)})
ODD = {"fortran": np.asfortranarray(values(np.float32, (2, 3, 4))), "big-endian": values(np.float64).astype(">f8"),
       "big-endian-complex": values(np.complex64).astype(">c8"), "scalar": np.array(0.1),
       "one": np.array([7], np.int16), "empty": np.zeros((0, 4), np.float32),
       "five-axes": values(np.int8, (1, 2, 1, 3, 2))}
for name, a in ODD.items():
    np.save(FOLDER / f"numpy/{name}.npy", a)
    saved(f"numpy/{name}.npy", {"": a.astype(a.dtype.newbyteorder("="))})
for version in ((2, 0), (3, 0)):
    name = f"numpy/version-{version[0]}.npy"
    with open(FOLDER / name, "wb") as file:
        np.lib.format.write_array(file, values(np.int32), version=version)
    saved(name, {"": values(np.int32)})

several = {"a": values(np.float32), "layers.0.weight": values(np.int64, (4,)), "scalar": np.array(2.5, np.float16),
           "turned": np.asfortranarray(values(np.float64))}
np.savez(FOLDER / "numpy/stored.npz", **several)
saved("numpy/stored.npz", several)
large = {**several, "zeros": np.zeros(3000, np.float32)}
np.savez_compressed(FOLDER / "numpy/deflated.npz", **large)
saved("numpy/deflated.npz", large)
np.savez(FOLDER / "numpy/none.npz")
saved("numpy/none.npz", {})

bf16 = values(ml_dtypes.bfloat16)
np.save(FOLDER / "dtypes/bf16.npy", bf16)
saved("dtypes/bf16.npy", {"": bf16})


def mlx_array(a):
    words = a.dtype == ml_dtypes.bfloat16
    return mx.array(a.view(np.uint16)).view(mx.bfloat16) if words else mx.array(a)


of_mlx = {"a": values(np.float32), "b": bf16, "c": values(np.complex64), "d": np.array(3, np.int8)}
for key, a in of_mlx.items():
    mx.save(str(FOLDER / f"mlx/{key}.npy"), mlx_array(a))
    saved(f"mlx/{key}.npy", {"": a})
mx.savez(str(FOLDER / "mlx/stored.npz"), **{key: mlx_array(a) for key, a in of_mlx.items()})
saved("mlx/stored.npz", of_mlx)
mx.savez_compressed(str(FOLDER / "mlx/deflated.npz"), **{key: mlx_array(a) for key, a in of_mlx.items()})
saved("mlx/deflated.npz", of_mlx)
mx.save_safetensors(str(FOLDER / "mlx/all.safetensors"), {key: mlx_array(a) for key, a in of_mlx.items()})
saved("mlx/all.safetensors", of_mlx)
in_gguf = {"a": values(np.float32), "h": values(np.float16, (3,)), "i": values(np.int32, (2, 1, 3, 2))}
mx.save_gguf(str(FOLDER / "mlx/all.gguf"), {key: mx.array(a) for key, a in in_gguf.items()}, {"general.name": "a name"})
saved("mlx/all.gguf", in_gguf, {"general.name": "a name"})

writer = gguf.GGUFWriter(FOLDER / "gguf/all.gguf", "none")
writer.add_string("a.text", "some words")
writer.add_uint32("a.count", 7)
writer.add_float64("a.share", 0.25)
writer.add_bool("a.truth", True)
writer.add_array("a.list", [1, 2, 3])
of_gguf = {"f32": values(np.float32, (4, 3, 2)), "f16": values(np.float16), "f64": values(np.float64, (5,)),
           "i8": values(np.int8), "i16": values(np.int16), "i32": values(np.int32), "i64": values(np.int64)}
for key, a in of_gguf.items():
    writer.add_tensor(key, a)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
saved("gguf/all.gguf", of_gguf, {"general.architecture": "none", "a.text": "some words", "a.count": "7",
                                 "a.share": "0.25", "a.truth": "true", "a.list": "[1,2,3]"})

source = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "ml_dtypes", "mlx", "gguf"))
text = json.dumps({"source": source, "files": holds}, indent=1)
(FOLDER / "holds.json").write_text(text + "\n", encoding="ascii")
