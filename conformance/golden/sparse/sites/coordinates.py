"""Coordinate operations by Python's dictionaries, sets and unbounded integers."""

import pathlib
import platform
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402


def sites(rows):
    return [tuple(int(x) for x in row) for row in rows]


def array(rows, dtype=np.int32):
    return np.array(list(rows), object).reshape(-1, 4).astype(dtype)


def lowest(rows):
    found = {}
    for i, site in enumerate(rows):
        found.setdefault(site, i)
    return found


def column(values):
    return np.array(list(values), np.int32).reshape(-1)


def set_outputs(rows, dtype):
    return [("coords", array(rows, dtype)), ("count", column([len(rows)]))]


def downsample(c, coords, stride, note=""):
    rows = dict.fromkeys((b, x // stride[0], y // stride[1], z // stride[2]) for b, x, y, z in sites(coords))
    c.add("downsample_coords", {"stride": list(stride)}, {"coords": coords}, set_outputs(list(rows), coords.dtype),
          note=note)


def sets(c, lhs, rhs, note=""):
    both = list(dict.fromkeys(sites(lhs) + sites(rhs)))
    common = [s for s in dict.fromkeys(sites(lhs)) if s in set(sites(rhs))]
    pair = {"lhs": lhs, "rhs": rhs}
    c.add("union_coords", {}, pair, set_outputs(both, lhs.dtype), note=note)
    c.add("intersection_coords", {}, pair, set_outputs(common, lhs.dtype), note=note)


def lookups(c, coords, queries, note=""):
    rows = lowest(sites(coords))
    found = column(rows.get(s, -1) for s in sites(queries))
    c.add("lookup_coords", {}, {"coords": coords, "queries": queries}, [("rows", found)], note=note)
    if len(queries) > 5:
        return
    c.add("contains_coords", {}, {"coords": coords, "queries": queries}, [("found", found >= 0)], note=note)
    c.add("inverse_map", {}, {"source": coords, "target": queries}, [("rows", found)], note=note)


def code(site):
    total = site[0] * 2**60
    for axis, value in enumerate(site[1:]):
        digits = reversed(f"{value % 2**21:021b}")
        total += sum(2 ** (3 * bit + axis) for bit, digit in enumerate(digits) if digit == "1")
    total %= 2**64
    return total - 2**64 if total >= 2**63 else total


def morton(c, coords, note=""):
    codes = [code(s) for s in sites(coords)]
    order = sorted(range(len(codes)), key=codes.__getitem__)
    inverse = [order.index(i) for i in range(len(order))]
    c.add("morton_codes", {}, {"coords": coords}, [("codes", np.array(codes, np.int64))], note=note)
    c.add("morton_order", {}, {"coords": coords}, [("order", column(order))], note=note)
    c.add("morton_sort_coords", {}, {"coords": coords},
          [("coords", array([sites(coords)[i] for i in order], coords.dtype)), ("order", column(order)),
           ("inverse_rows", column(inverse))], note=note)


def wrapped(value):
    return (value + 2**31) % 2**32 - 2**31


def counted(coords, active):
    return {"coords": coords, "active_rows": column([len(coords) if active is None else active])}


def occupancy_downsample(c, coords, active=None, note=""):
    masks = {}
    for b, *xyz in (tuple(map(wrapped, s)) for s in sites(coords)[:active]):
        parent = (b, *(v // 2 for v in xyz))
        masks[parent] = masks.get(parent, 0) | 1 << sum((v % 2) << axis for axis, v in enumerate(xyz))
    c.add("occupancy_downsample", {}, counted(coords, active),
          [("coords", array(masks)), ("active_rows", column([len(masks)])), ("occupancy", column(masks.values()))],
          note=note)


def child(parent, index):
    return (wrapped(parent[0]), *(wrapped(2 * v + index // 2**axis % 2) for axis, v in enumerate(parent[1:])))


def occupancy_expand(c, coords, masks, active=None, note=""):
    pairs = [(p, i) for p in range(len(sites(coords)[:active])) for i in range(8) if int(masks[p]) >> i & 1]
    c.add("occupancy_expand", {}, counted(coords, active) | {"occupancy": column(masks)},
          [("coords", array(child(sites(coords)[p], i) for p, i in pairs)), ("active_rows", column([len(pairs)])),
           ("parent_rows", column(p for p, _ in pairs)), ("child_indices", column(i for _, i in pairs))], note=note)


def children(c, coords, indices, note=""):
    c.add("child_coords_from_indices", {}, {"parent_coords": coords, "child_indices": column(indices)},
          [("coords", array(child(s, i) for s, i in zip(sites(coords), indices)))], note=note)


def align(c, lhs, rhs, lhs_active=None, rhs_active=None, note=""):
    left, right = sites(lhs)[:lhs_active], sites(rhs)[:rhs_active]
    from_left = [(s, i, lowest(right).get(s, -1)) for i, s in enumerate(left)]
    from_right = [(s, lowest(left).get(s, -1), i) for i, s in enumerate(right)]
    joins = {"inner": [t for t in from_left if t[2] >= 0], "left": from_left, "right": from_right,
             "outer": from_left + [t for t in from_right if t[1] < 0]}
    counts = [len(lhs) if lhs_active is None else lhs_active, len(rhs) if rhs_active is None else rhs_active]
    for join, rows in joins.items():
        c.add("sparse_alignment", {"join": join},
              {"lhs_coords": lhs, "lhs_active_rows": column([counts[0]]), "rhs_coords": rhs,
               "rhs_active_rows": column([counts[1]])},
              [("coords", array(t[0] for t in rows)), ("active_rows", column([len(rows)])),
               ("lhs_rows", column(t[1] for t in rows)), ("rhs_rows", column(t[2] for t in rows))], note=note)


def line(*xs):
    return array((0, x, 0, 0) for x in xs)


def errors(c):
    two, three = np.zeros((2, 4), np.int32), np.zeros((2, 3), np.int32)
    wide, one, minus = np.zeros((2, 4), np.int64), column([1]), column([-1])
    c.error("downsample_coords", {"stride": [2, 0, 2]}, {"coords": two}, note="a stride of zero")
    c.error("unique_coords", {}, {"coords": three}, note="three columns")
    c.error("union_coords", {}, {"lhs": two, "rhs": wide}, note="two dtypes")
    c.error("lookup_coords", {}, {"coords": two, "queries": three}, note="three columns")
    c.error("morton_codes", {}, {"coords": np.zeros((2, 4), np.float32)}, note="real coordinates")
    c.error("occupancy_downsample", {}, {"coords": two, "active_rows": minus}, error="runtime_error",
            note="a negative count")
    c.error("occupancy_expand", {}, {"coords": two, "active_rows": one, "occupancy": one}, note="too few occupancies")
    c.error("child_coords_from_indices", {}, {"parent_coords": two, "child_indices": np.zeros(2, np.int64)},
            note="int64 indices")
    sides = {"lhs_coords": two, "lhs_active_rows": one, "rhs_coords": two, "rhs_active_rows": one}
    c.error("sparse_alignment", {"join": "cross"}, sides, note="an unknown join")
    c.error("sparse_alignment", {"join": "left"}, sides | {"rhs_active_rows": minus}, error="runtime_error",
            note="a negative count")


def main():
    c = Corpus("coordinates", source=f"python {platform.python_version()}, dictionaries; numpy {np.__version__}")
    rng = np.random.default_rng(5)
    box = array([(0, x, y, 0) for x in range(-5, 6) for y in (-5, -1, 0, 4)])
    ends = array([(0, a, b, -1) for a in (2**31 - 1, -(2**31), 0, -1) for b in (2**31 - 1, -(2**31))])
    far = array([(0, x * 2**33 + 1, -(2**40), x) for x in (-2, -1, 0, 1, 0, -2)], np.int64)
    some = rng.integers(-2, 3, (50, 4)).astype(np.int32)
    more = rng.integers(-2, 3, (35, 4)).astype(np.int32)
    batches = array([(b, x, 1, 2) for x in (3, 4) for b in (0, 2)])
    empty = np.zeros((0, 4), np.int32)

    downsample(c, array([(0, -1, -1, -1), (0, -2, -3, -1), (1, 3, 4, 5), (0, 0, 0, 0)]), (2, 3, 1), "worked by hand")
    for stride in (2, 2, 2), (3, 3, 3):
        downsample(c, box, stride, "-5..5: floor, not truncation")
        downsample(c, ends, stride, "the ends of int32")
    downsample(c, far, (2, 3, 5), "beyond 2^32")
    downsample(c, some, (1, 1, 1), "no more than the distinct rows")
    downsample(c, empty, (2, 2, 2), "no rows")
    for rows, note in [(some, "repeated rows"), (batches, "equal sites in two batches, a batch between empty"),
                       (array([(-1, -1, -1, -1)] * 5), "all the same"), (ends, "the ends of int32"),
                       (far, "beyond 2^32"), (empty, "no rows")]:
        distinct = list(dict.fromkeys(sites(rows)))
        c.add("unique_coords", {}, {"coords": rows}, set_outputs(distinct, rows.dtype), note=note)
    for a, b, note in [(line(2, 0, 1), line(1, 5, 2), "worked by hand"), (some, more, "repeated rows"),
                       (batches, batches[[3, 0]], "batches do not meet"), (ends, ends[[1, 4, 6]], "the ends of int32"),
                       (far, far[[5, 3]], "beyond 2^32"), (some[:9], empty, "nothing on the right"),
                       (empty, some[:9], "nothing on the left")]:
        sets(c, a, b, note)
        lookups(c, a, b, note)
    padded = np.concatenate([line(4), np.zeros((3, 4), np.int32)])
    lookups(c, padded, line(0, 4, 1), "rows of zeros are rows: padding is found")
    worked = array([(0, 1, 1, 0), (0, 0, 0, 1), (0, -1, 0, 0), (7, 0, 0, 0), (8, 0, 0, 0), (1, 0, 0, 1048576),
                    (1, 1048575, 0, 0)])
    for rows, note in [(worked, "worked by hand; two codes are equal"), (some, "ties, negative values"),
                       (ends, "the ends of int32"), (far, "int64")]:
        morton(c, rows, note)
    occupancy_downsample(c, array([(0, -1, -1, -1), (0, -2, 0, 0), (0, -1, 1, 0)]), note="worked by hand: 128, 9")
    occupancy_downsample(c, some, 40, "repeated rows, not all active")
    occupancy_downsample(c, ends, note="the ends of int32")
    occupancy_downsample(c, far, note="int64 modulo 2^32")
    occupancy_downsample(c, some, 0, "nothing active")
    occupancy_expand(c, array([(0, -1, -1, -1), (0, -1, 0, 0)]), [128, 9], note="worked by hand")
    occupancy_expand(c, some[:20], rng.integers(-300, 300, 20), 17, "bits above 7 are ignored")
    occupancy_expand(c, ends, [255] * len(ends), note="children wrap modulo 2^32")
    occupancy_expand(c, empty, [], note="no rows")
    children(c, some[:16], range(-4, 12), "the low three bits count")
    children(c, far, range(6), "int64 modulo 2^32")
    align(c, line(2, 0, 1), line(1, 5, 2), note="worked by hand")
    align(c, some, more, 45, 30, "repeated rows, not all active")
    align(c, batches, batches[::-1], note="batches do not meet")
    align(c, ends, ends[[1, 4, 6, 1]], note="the ends of int32")
    align(c, empty, more[:5], note="nothing on the left")
    errors(c)
    c.save()


if __name__ == "__main__":
    main()
