#!/usr/bin/env python3
"""Compiles the bodies of the kernels for matrix units, which the device here may lack, for a device that has them.

    ci/matrix_kernels.py

Each kernel file is compiled with every combination of options that its routes build it with, by clang's back end for
NVIDIA devices. What the assembler texts say is not looked at; each result must have the number of matrix products that
its options ask for, at least. Exit 77 where there is no such compiler.
"""
import itertools
import pathlib
import re
import shutil
import subprocess
import sys

KERNELS = pathlib.Path(__file__).resolve().parent.parent / "gpu" / "kernels"

# (file, alternatives of each option, least number of matrix products)
BUILDS = [
    ("linalg_mma", [["X=f16", "X=bf16"], ["WARPS_M=2 WARPS_N=4 TILES_M=4 TILES_N=8"], ["", "ALIGNED"]], 32),
    ("linalg_mma", [["X=f16", "X=bf16"], ["WARPS_M=2 WARPS_N=2 TILES_M=2 TILES_N=4"], ["", "ALIGNED"]], 8),
    ("linalg_mma", [["X=f16", "X=bf16"], ["WARPS_M=1 WARPS_N=1 TILES_M=1 TILES_N=8 STAGES=2 PANEL=2"],
                    ["", "ALIGNED"]], 8),
    ("edge_product_mma", [["COLUMNS=16", "COLUMNS=32", "COLUMNS=64"], ["DEPTH=16", "DEPTH=32"], ["", "BY_EIGHTS"]], 1),
    ("edge_product_mma", [["DEPTH=32"], ["TILE=32", "TILE=64"], ["", "BY_EIGHTS"], ["", "EVERY_ROW"]], 1),
    ("convolution", [["X=f16 MMA"], ["COLUMNS=16 DEPTH=16 PITCH=16", "COLUMNS=32 DEPTH=32",
                                        "COLUMNS=64 DEPTH=32"]], 1),
    ("sparse_quant", [["X=f16 MMA"], ["BITS=4", "BITS=8"], ["COLUMNS=32", "COLUMNS=64"]], 1),
    ("ceiling", [[""]], 4),
]
PRELUDE = ["PLUMB_MATRIX_F16", "PLUMB_FP64", "PLUMB_FP16", "PLUMB_INT64_ATOMICS", "asm=__asm__"]
EXTENSIONS = ["cl_khr_fp64", "cl_khr_fp16", "cl_khr_int64_base_atomics"]


def compiler():
    """The command up to the definitions, or None."""
    clang = shutil.which("clang") or shutil.which("clang-14") or shutil.which("clang-15")
    if not clang:
        return None
    targets = subprocess.run([clang, "--print-targets"], capture_output=True, text=True).stdout
    folder = subprocess.run([clang, "-print-resource-dir"], capture_output=True, text=True).stdout.strip()
    header = pathlib.Path(folder) / "include" / "opencl-c.h"
    if "nvptx64" not in targets or not header.is_file():
        return None
    return [clang, "-x", "cl", "-cl-std=CL1.2", "-target", "nvptx64-nvidia-nvcl", "-Xclang",
            "-cl-ext=" + ",".join("+" + e for e in EXTENSIONS), "-include", str(header), "-O1", "-S", "-o", "-",
            f"-I{KERNELS}", *[f"-D{d}" for d in PRELUDE]]


def main():
    command = compiler()
    if not command:
        print("skipped: no clang with a back end for NVIDIA devices and OpenCL's header")
        return 77
    failed = built = 0
    for file, alternatives, least in BUILDS:
        for choice in itertools.product(*alternatives):
            options = [f"-D{word}" for words in choice for word in words.split()]
            source = str(next(KERNELS.rglob(f"{file}.cl")))
            done = subprocess.run([*command, *options, source], capture_output=True, text=True)
            products = len(re.findall(r"\bmma\.sync", done.stdout))
            built += 1
            if done.returncode or products < least:
                failed += 1
                print(f"FAIL {file}.cl {' '.join(options)}: {products} matrix products, at least {least} expected")
                print("\n".join(line for line in done.stderr.splitlines() if "error" in line)[:2000])
    print(f"{built - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
