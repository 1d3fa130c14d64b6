"""Voxels of a real surface: where white matter meets the cortex in a magnetic resonance scan averaged over 152 heads.

The map comes with the Python package nilearn (mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz: the probability of
white matter at each cubic millimetre, as bytes); see conformance/geometry/README.md for its licence. A voxel is kept
where the probability is at least one half and is not so on one of its six sides. What is written is an octree,
breadth first: one byte for each cell that is not empty, from the whole cube of 256 down to cells of 2, whose bit x +
2y + 4z says that the half of that cell towards x, y, z is not empty. A coarser resolution is the same file read to a
lesser depth.

    python conformance/golden/real_geometry.py [path of the map]
"""

import gzip
import importlib.util
import pathlib
import struct
import sys

import numpy as np

NAME = "datasets/data/mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz"
OUT = pathlib.Path(__file__).parent.parent / "geometry" / "white_matter.octree"
DEPTH = 8


def volume(path):
    """The map as bytes, axes z, y, x."""
    raw = gzip.open(path).read()
    header, dims = struct.unpack("<i", raw[:4])[0], struct.unpack("<8h", raw[40:56])
    kind, bits = struct.unpack("<2h", raw[70:74])
    assert (header, dims[0], kind, bits) == (348, 3, 2, 8), "not a volume of bytes"
    at = int(struct.unpack("<f", raw[108:112])[0])
    return np.frombuffer(raw, np.uint8, dims[1] * dims[2] * dims[3], at).reshape(dims[3], dims[2], dims[1])


def surface(inside):
    """Cells inside with a side that is not."""
    padded = np.pad(inside, 1)
    deep = inside.copy()
    for axis in range(3):
        for step in (-1, 1):
            deep &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return inside & ~deep


def octree(sites):
    """Bytes of every level, from the root on; sites are rows of x, y, z."""
    levels = []
    for _ in range(DEPTH):
        masks = {}
        for x, y, z in sites.tolist():
            cell = (x >> 1, y >> 1, z >> 1)
            masks[cell] = masks.get(cell, 0) | 1 << ((x & 1) + 2 * (y & 1) + 4 * (z & 1))
        levels.append(masks)
        sites = np.array(list(masks), np.int64)
    stream, cells = bytearray(), [(0, 0, 0)]
    for masks in reversed(levels):
        following = []
        for cell in cells:
            stream.append(masks[cell])
            following += [tuple(2 * a + (c >> i & 1) for i, a in enumerate(cell)) for c in range(8)
                          if masks[cell] >> c & 1]
        cells = following
    return bytes(stream), cells


def main():
    if len(sys.argv) > 1:
        path = sys.argv[1]
    else:
        package = importlib.util.find_spec("nilearn")
        if package is None:
            print("skipped: nilearn is not installed, and no path of the map was given")
            return 77
        path = pathlib.Path(package.origin).parent / NAME
    z, y, x = np.nonzero(surface(volume(path) >= 128))
    sites = np.stack([x, y, z], axis=1)
    stream, cells = octree(sites)
    assert sorted(cells) == sorted(map(tuple, sites.tolist()))
    OUT.write_bytes(stream)
    print(f"{len(cells)} voxels, {len(stream)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
