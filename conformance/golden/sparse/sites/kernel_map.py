"""Dense views of sparse relations by plain dictionaries, and the worked examples of their definition."""

import itertools
import pathlib
import platform
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402


def axis(size, dilation, centred):
    first = -(size // 2) if centred and size % 2 else 0
    return [(first + i) * dilation for i in range(size)]


def offsets(size, dilation=(1, 1, 1), centred=True):
    return list(itertools.product(*(axis(k, d, centred) for k, d in zip(size, dilation))))


def lowest(sites):
    rows = {}
    for i, site in enumerate(sites):
        rows.setdefault(site, i)
    return rows


def gathered(sites, out, size, stride, padding, dilation):
    """map[o][k] = lowest row at out * stride + f - padding."""
    rows = lowest(sites)
    reach = offsets(size, dilation)
    return [[rows.get((o[0],) + tuple(c * s + d - p for c, s, d, p in zip(o[1:], stride, f, padding)), -1)
             for f in reach]
            for o in out]


def inverted(sites, targets, size, stride, padding, dilation):
    """map[t][k] = lowest row at (t + padding - f) / stride, where that is whole."""
    rows, reach, found = lowest(sites), offsets(size, dilation, False), []
    for t in targets:
        line = []
        for f in reach:
            v = [c + p - d for c, p, d in zip(t[1:], padding, f)]
            whole = all(x % s == 0 for x, s in zip(v, stride))
            line.append(rows.get((t[0],) + tuple(x // s for x, s in zip(v, stride)), -1) if whole else -1)
        found.append(line)
    return found


def masks(table):
    kernels = table.shape[1]
    words = np.zeros((len(table), -(-kernels // 32)), np.uint32)
    for k in range(kernels):
        words[:, k // 32] |= (table[:, k] >= 0).astype(np.uint32) << np.uint32(k % 32)
    return words.view(np.int32)


def some_sites(rng, n, low=-4, high=4, batches=2):
    side = high - low + 1
    picks = rng.choice(batches * side**3, n, replace=False)
    rest = picks % side**3
    return np.stack([picks // side**3, rest // side**2 + low, rest // side % side + low, rest % side + low], 1)


def tuples(rows):
    return [tuple(int(x) for x in row) for row in rows]


def add_offsets(c, size, dilation=(1, 1, 1), note=""):
    for op, centred in (("kernel_offsets", True), ("indexed_kernel_offsets", False)):
        c.add(op, {"kernel_size": list(size), "dilation": list(dilation)}, {},
              [("offsets", np.array(offsets(size, dilation, centred), np.int32))], note=note)


def add_map(c, kind, coords, size, stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), targets=None, active=None,
            dtype=np.int32, note=""):
    coords = np.asarray(coords, dtype).reshape(-1, 4)
    active = len(coords) if active is None else active
    sites = tuples(coords[:active])
    attrs = {"kind": kind, "kernel_size": list(size)}
    if kind != "submanifold":
        attrs |= {"stride": list(stride), "padding": list(padding)}
    attrs["dilation"] = list(dilation)
    inputs = {"coords": coords, "active_rows": np.array([active], np.int32)}
    if targets is not None:
        targets = np.asarray(targets, dtype).reshape(-1, 4)
        inputs |= {"target_coords": targets, "target_active_rows": np.array([len(targets)], np.int32)}
        out = tuples(targets)
    elif tuple(stride) == (1, 1, 1) and tuple(padding) == (0, 0, 0):
        out = sites
    else:
        out = list(dict.fromkeys((s[0],) + tuple(x // d for x, d in zip(s[1:], stride)) for s in sites))
    make = inverted if kind == "target_transposed" else gathered
    table = np.array(make(sites, out, size, stride, padding, dilation), np.int32).reshape(len(out), int(np.prod(size)))
    counts = np.array([(table >= 0).sum(), len(out)], np.int32)
    op = "target_transposed_map" if kind == "target_transposed" else "forward_map"
    c.add(op, attrs, inputs, [("out_in_map", table), ("row_masks", masks(table)), ("counts", counts)], note=note)


def add_sorted(c, table, note=""):
    table = np.asarray(table, np.int32)
    n = len(table)
    word = masks(table)[:, 0] if table.shape[1] else np.zeros(n, np.int32)
    order = np.argsort(word, kind="stable").astype(np.int32)
    padded = np.zeros(-(-n // 64) * 64, np.uint32)
    padded[:n] = word[order].view(np.uint32)
    tiles = np.bitwise_or.reduce(padded.reshape(-1, 16), axis=1).view(np.int32)
    c.add("sorted_implicit_gemm_view", {}, {"out_in_map": table},
          [("reorder_rows", order), ("sorted_out_in_map", table[order]),
           ("sorted_kv_out_in_map", np.ascontiguousarray(table[order].T)), ("tile_masks", tiles)], note=note)


def add_permutation(c, source, target, note="", dtype=np.int32):
    at = {p: i for i, p in enumerate(source)}
    c.add("kernel_row_permutation", {}, {"source": np.array(source, dtype), "target": np.array(target, dtype)},
          [("permutation", np.array([at[p] for p in target], np.int32))], note=note)


def permutations(c, rng):
    columns = [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1)]
    add_permutation(c, columns, offsets((2, 1, 2)), note="x fastest onto z fastest")
    cube = offsets((3, 3, 3))
    add_permutation(c, [cube[i] for i in rng.permutation(27)], cube, dtype=np.int64)
    add_permutation(c, [(x, y, z) for z in range(2) for y in range(3) for x in range(4)],
                    offsets((4, 3, 2), centred=False))
    pair = {"source": np.array(columns, np.int32), "target": np.array(columns, np.int32)}
    c.error("kernel_row_permutation", {}, {**pair, "target": pair["target"][:3]}, note="lengths differ")
    c.error("kernel_row_permutation", {}, {**pair, "target": pair["target"] + 1}, note="other positions")
    c.error("kernel_row_permutation", {}, {**pair, "target": pair["target"][[0, 1, 2, 2]]},
            note="a target repeats")
    c.error("kernel_row_permutation", {}, {**pair, "source": pair["source"][[0, 1, 1, 3]]},
            note="the source repeats")


def maps(c, rng):
    line = [[0, x, 0, 0] for x in range(3)]
    add_map(c, "forward", line, (3, 1, 1))
    add_map(c, "target_transposed", line, (3, 1, 1), (2, 1, 1), (1, 0, 0), targets=[[0, x, 0, 0] for x in range(-1, 4)],
            note="masks 1, 2, 5, 2, 5")
    add_map(c, "forward", [[0, x, 0, 0] for x in range(-3, 3)], (3, 1, 1), (2, 1, 1), (1, 0, 0),
            note="an output without edges")
    add_map(c, "forward", [[0, x, 0, 0] for x in range(-2, 4)], (4, 1, 1), note="width 4 reaches 0..3")
    add_map(c, "forward", [[0, 5, 5, 0]], (3, 3, 1), (3, 3, 1), note="the input lies outside of every window")
    add_map(c, "forward", some_sites(rng, 30), (3, 3, 3), (2, 2, 2), (1, 1, 1), active=26)
    add_map(c, "forward", some_sites(rng, 30)[[0, 0, 1, 2, 1, 3, 4, 5]], (3, 3, 3), note="the lowest of equal rows")
    add_map(c, "submanifold", some_sites(rng, 40, -2, 2), (3, 3, 5), (1, 1, 1), dilation=(1, 2, 1),
            note="two mask words")
    add_map(c, "target", some_sites(rng, 30), (2, 4, 4), (2, 1, 1), targets=some_sites(rng, 9), dtype=np.int64,
            note="bit 31 of the word")
    add_map(c, "target", some_sites(rng, 30), (5, 5, 3), targets=some_sites(rng, 9), note="three mask words")
    add_map(c, "target_transposed", some_sites(rng, 20, -2, 2), (3, 2, 1), (2, 1, 3), (1, 0, 2), (1, 2, 1),
            targets=some_sites(rng, 25))
    add_map(c, "target_transposed", some_sites(rng, 9), (2, 2, 2), (2, 2, 2), targets=[], note="no targets")
    add_map(c, "forward", [], (3, 3, 3), (2, 2, 2), note="no rows")


def sorted_views(c, rng):
    add_sorted(c, [[-1, 0, 1], [0, 1, 2], [1, 2, -1]], note="order 2, 0, 1; tiles 7, 0, 0, 0")
    add_sorted(c, rng.integers(-3, 3, (70, 8)), note="two tiles of 64")
    table = rng.integers(-1, 2, (40, 32))
    add_sorted(c, table, note="bit 31 sorts first")
    add_sorted(c, np.zeros((0, 5)), note="no rows")
    add_sorted(c, rng.integers(-1, 1, (129, 2)), note="ties keep their order")
    c.error("sorted_implicit_gemm_view", {}, {"out_in_map": np.zeros((2, 33), np.int32)},
            note="more than 32 kernel rows")


def main():
    c = Corpus("kernel_map", source=f"python {platform.python_version()}, dictionaries; numpy {np.__version__}")
    rng = np.random.default_rng(23)
    for size, dilation in (((3, 3, 3), (1, 1, 1)), ((2, 3, 1), (1, 2, 1)), ((1, 2, 3), (1, 1, 1)),
                           ((3, 2, 1), (1, 1, 1)),
                           ((4, 1, 5), (3, 1, 2)), ((1, 1, 1), (7, 7, 7))):
        add_offsets(c, size, dilation)
    for bad in ({"kernel_size": [0, 1, 1]}, {"dilation": [1, 0, 1]}, {"kernel_size": [3, 3]}):
        c.error("kernel_offsets", {"kernel_size": [3, 1, 1], "dilation": [1, 1, 1], **bad}, {})
    permutations(c, rng)
    maps(c, rng)
    sorted_views(c, rng)
    c.save()


if __name__ == "__main__":
    main()
