"""Relations of sparse kernels by plain dictionaries: every site looked up on its own, integers without bound."""

import itertools
import pathlib
import platform
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

OUTPUTS = ["in_rows", "out_rows", "kernel_ids", "counts", "out_row_offsets", "out_coords", "in_row_offsets",
           "in_edge_ids", "kernel_row_offsets", "kernel_edge_ids"]


def axis(size, dilation, centred):
    first = -(size // 2) if centred and size % 2 else 0
    return [(first + i) * dilation for i in range(size)]


def offsets(size, dilation, centred):
    return list(itertools.product(*(axis(k, d, centred) for k, d in zip(size, dilation))))


def moved(site, stride, offset, padding):
    return (site[0],) + tuple(c * s + f - p for c, s, f, p in zip(site[1:], stride, offset, padding))


def lowest(sites):
    rows = {}
    for i, site in enumerate(sites):
        rows.setdefault(site, i)
    return rows


def relate(kind, sites, targets, size, stride, padding, dilation):
    """[(out, kernel, in)] in canonical order, and the output sites."""
    edges = []
    if kind in ("forward", "submanifold", "target"):
        if kind == "target":
            out = targets
        elif stride == [1, 1, 1] and padding == [0, 0, 0]:
            out = sites
        else:
            out = list(dict.fromkeys((s[0],) + tuple(c // d for c, d in zip(s[1:], stride)) for s in sites))
        rows = lowest(sites)
        for o, site in enumerate(out):
            for k, f in enumerate(offsets(size, dilation, True)):
                i = rows.get(moved(site, stride, f, padding))
                if i is not None:
                    edges.append((o, k, i))
        return edges, out
    reach = offsets(size, dilation, False)
    merged = kind == "transposed" and not all(s > (k - 1) * d for s, k, d in zip(stride, size, dilation))
    out, numbers = [], {}
    for i, site in enumerate(sites):
        for k, f in enumerate(reach):
            to = moved(site, stride, f, padding)
            o = numbers.setdefault(to, len(out)) if merged else len(out)
            if o == len(out):
                out.append(to)
            edges.append((o, k, i))
    return sorted(edges), out


def grouped(keys, groups):
    offsets_ = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=groups))]) if groups else np.zeros(1)
    return offsets_.astype(np.int32), np.argsort(keys, kind="stable").astype(np.int32)


def outputs(coords, edges, out, kernels):
    e = np.array(edges, np.int64).reshape(-1, 3)
    by_out = grouped(e[:, 0], len(out))[0]
    by_in, in_ids = grouped(e[:, 2], len(coords))
    by_kernel, kernel_ids = grouped(e[:, 1], kernels)
    values = [e[:, 2], e[:, 0], e[:, 1], [len(e), len(out)], by_out, np.array(out, object).reshape(-1, 4), by_in,
              in_ids,
              by_kernel, kernel_ids]
    dtypes = [np.int32] * 5 + [coords.dtype] + [np.int32] * 4
    return [(name, np.array(v, t)) for name, v, t in zip(OUTPUTS, values, dtypes)]


def some_sites(rng, n, low=-5, high=5, batches=2):
    cells = (high - low + 1) ** 3
    picks = rng.choice(batches * cells, n, replace=False)
    side = high - low + 1
    rest = picks % cells
    return np.stack([picks // cells, rest // side**2 + low, rest // side % side + low, rest % side + low], 1)


def add(c, kind, coords, size, stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), active=None, targets=None,
        dtype=np.int32, note=""):
    size, stride, padding, dilation = list(size), list(stride), list(padding), list(dilation)
    coords = np.asarray(coords, dtype).reshape(-1, 4)
    active = len(coords) if active is None else active
    attrs = {"kind": kind, "kernel_size": size}
    if kind != "submanifold":
        attrs["stride"] = stride
    if kind not in ("submanifold", "generative"):
        attrs["padding"] = padding
    if kind != "generative":
        attrs["dilation"] = dilation
    inputs = {"coords": coords, "active_rows": np.array([active], np.int32)}
    sites = [tuple(int(x) for x in row) for row in coords[:active]]
    wanted = []
    if kind == "target":
        targets = np.asarray(targets, dtype).reshape(-1, 4)
        inputs |= {"target_coords": targets, "target_active_rows": np.array([len(targets)], np.int32)}
        wanted = [tuple(int(x) for x in row) for row in targets]
    edges, out = relate(kind, sites, wanted, size, stride, padding, dilation)
    c.add(kind + "_relation", attrs, inputs, outputs(coords, edges, out, int(np.prod(size))), note=note)


def main():
    c = Corpus("relation", source=f"python {platform.python_version()}, dictionaries; numpy {np.__version__}")
    rng = np.random.default_rng(20)
    line = [[0, x, 0, 0] for x in range(-4, 5)]
    add(c, "forward", line, (3, 1, 1), (2, 1, 1), note="floor, not truncation")
    add(c, "forward", line, (3, 1, 1), (3, 1, 1), (1, 0, 0), note="padding shifts the taps only")
    add(c, "forward", line, (2, 1, 1), note="an even kernel looks forward")
    add(c, "forward", line, (4, 1, 1), (2, 1, 1), note="width 4 reaches 0..3")
    add(c, "forward", some_sites(rng, 24), (3, 3, 3), (2, 2, 2), (1, 1, 1), active=20)
    add(c, "forward", some_sites(rng, 24), (2, 3, 1), (2, 1, 3), (0, 1, 0), (1, 2, 1), dtype=np.int64)
    add(c, "forward", some_sites(rng, 12)[[0, 1, 1, 2, 0, 3, 4, 5, 5]], (3, 1, 3), note="repeated sites")
    add(c, "forward", some_sites(rng, 12)[[0, 1, 1, 2, 0, 3, 4, 5, 5]], (2, 2, 2), (2, 2, 2), note="repeated sites")
    add(c, "forward", [], (3, 3, 3), note="no rows")
    top, low = 2**31 - 1, -(2**31)
    add(c, "forward", [[0, top, low, -1], [0, low, low, -1], [0, top, top, -1], [-1, -1, -1, -1], [0, 0, 0, 0]],
        (3, 3, 3),
        note="the ends of int32 are not neighbours")
    same = some_sites(rng, 10, batches=1)
    both = np.concatenate([same, same + [1, 0, 0, 0]])
    add(c, "submanifold", both, (3, 3, 3), note="equal sites in two batches")
    add(c, "submanifold", some_sites(rng, 30, -2, 2), (1, 3, 5), dilation=(1, 2, 1), active=25)
    cube = [[0, x, y, z] for x in range(3) for y in range(3) for z in range(3)]
    add(c, "submanifold", rng.permutation(cube), (3, 3, 3), note="a full cube")
    add(c, "target", some_sites(rng, 20, -3, 3), (3, 3, 3), (2, 2, 2), targets=some_sites(rng, 12, -2, 2))
    add(c, "target", line, (2, 1, 1), (2, 1, 1), (1, 0, 0),
        targets=[[0, 1, 0, 0], [0, -1, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]],
        note="repeated targets, another batch")
    add(c, "target", line, (3, 1, 1), targets=[], note="no targets")
    add(c, "transposed", line[::3], (3, 1, 1), (2, 1, 1), (1, 0, 0), note="merged, first seen first")
    add(c, "transposed", line[::3], (2, 1, 1), (3, 1, 1), dilation=(2, 1, 1), note="stride beyond the reach")
    add(c, "transposed", some_sites(rng, 8, -2, 2), (3, 2, 1), (2, 1, 1), (1, 0, 0), active=7)
    add(c, "transposed", some_sites(rng, 6, -2, 2)[[0, 1, 1, 2, 0]], (2, 2, 1), (1, 1, 1), note="repeated inputs")
    add(c, "transposed", [[0, 2**30, -(2**30) - 1, 0]], (2, 2, 1), (1, 1, 1), (1, 0, 0), note="large coordinates")
    add(c, "generative", some_sites(rng, 6), (2, 3, 1), (2, 2, 2), note="outputs may repeat a site")
    add(c, "generative", some_sites(rng, 5), (1, 1, 4), (1, 1, 4), active=3)
    rows = {"coords": np.zeros((2, 4), np.int32), "active_rows": np.array([2], np.int32)}
    geometry = {"kernel_size": [3, 1, 1], "dilation": [1, 1, 1]}
    c.error("submanifold_relation", {"kind": "submanifold", **geometry, "kernel_size": [3, 2, 1]}, rows,
            note="an even size")
    c.error("submanifold_relation", {"kind": "submanifold", **geometry},
            {**rows, "active_rows": np.array([-1], np.int32)},
            error="runtime_error", note="a negative count")
    forward = {"kind": "forward", **geometry, "stride": [1, 1, 1], "padding": [0, 0, 0]}
    c.error("forward_relation", {**forward, "stride": [1, 0, 1]}, rows, note="a stride of zero")
    c.error("forward_relation", forward, {**rows, "coords": np.zeros((2, 3), np.int32)}, note="three columns")
    c.save()


if __name__ == "__main__":
    main()
