#!/usr/bin/env python3
"""Times PyTorch on the sizes of a plumb report, in the same run as the routes, and prints the ratios.

    plumb bench matmul fft --json > out/bench.json && python3 bench/peers_torch.py out/bench.json

Needs torch with a CUDA device. Each peer runs on data of the same shapes and dtypes, is warmed up, and is
timed with device events; the ratio is the peer's median over the route's (above 1: the route is faster).
"""
import argparse
import json
import re
import statistics
import sys

import torch

DTYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64,
          "c64": torch.complex64, "i32": torch.int32, "i64": torch.int64}


def parse(case):
    """Splits OP/INPUTS/ATTRIBUTES into a name, a list of (dtype, shape) and a dict of texts."""
    op, inputs, attributes = case.split("/")
    specs = []
    for text in inputs.split("+"):
        if text in ("none", "-"):
            continue
        dtype, shape, *_ = text.split(".")
        specs.append((dtype, [] if shape == "s" else [int(d) for d in shape.split("x")]))
    pairs = [] if attributes == "-" else [a.split("=") for a in attributes.split(",")]
    return op, specs, dict(pairs)


def random_tensor(spec):
    dtype, shape = spec
    kind = DTYPES[dtype]
    if kind.is_floating_point or kind.is_complex:
        return torch.randn(shape, device="cuda", dtype=torch.complex64 if kind.is_complex else torch.float32).to(kind)
    return torch.randint(-100, 100, shape, device="cuda", dtype=kind)


def axis_of(attributes, default=-1):
    text = attributes.get("axis", str(default))
    return None if text == "none" else int(re.split(":", text)[0])


def peer(case):
    """A function of no arguments that runs the peer, or None where torch has none."""
    op, specs, attributes = parse(case)
    if any(d not in DTYPES for d, _ in specs):
        return None
    if op == "cholesky":
        n = specs[0][1][-1]
        g = random_tensor(specs[0])
        a = g @ g.mT + n * torch.eye(n, device="cuda", dtype=g.dtype)
        return lambda: torch.linalg.cholesky(a)
    if op not in ("matmul", "add", "sum", "softmax", "argsort", "fft", "ifft", "rfft", "irfft"):
        return None
    x = [random_tensor(s) for s in specs]
    axis = axis_of(attributes, -1)
    if op == "matmul":
        return lambda: torch.matmul(x[0], x[1])
    if op == "add":
        return lambda: torch.add(x[0], x[1])
    if op == "sum":
        return (lambda: torch.sum(x[0])) if "axis" not in attributes else (lambda: torch.sum(x[0], axis))
    if op == "softmax":
        return lambda: torch.softmax(x[0], -1 if axis is None else axis)
    if op == "argsort":
        return lambda: torch.argsort(x[0], dim=axis, stable=True)
    transform = getattr(torch.fft, op)
    return lambda: transform(x[0], dim=axis)


def milliseconds(run, repetitions):
    """Device time of each repetition, after a warm-up, with as many calls per repetition as make 20 ms."""
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def timed(calls):
        begin.record()
        for _ in range(calls):
            run()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / calls

    calls = max(1, min(1000, int(20 / max(timed(1), 1e-3))))
    return [timed(calls) for _ in range(repetitions)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="the JSON of plumb bench or a plumb report")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--json", help="also write the rows here")
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    with open(arguments.bench, encoding="utf-8") as f:
        document = json.load(f)
    bench = document.get("bench", document)
    rows = bench if isinstance(bench, list) else bench["rows"]
    results, times = [], {}
    print(f"{'route':18} {'route ms':>10} {'torch ms':>10} {'torch/route':>12}  case")
    for row in rows:
        case = row.get("case") or row.get("case_id")
        if row.get("error") or row["route"].startswith(("cpu.", "peer.")) or row.get("mode") == "cold":
            continue
        if case not in times:
            run = peer(case)
            times[case] = milliseconds(run, arguments.repetitions) if run else None
        if times[case] is None:
            continue
        ours, theirs = row["median"] * 1e3, statistics.median(times[case])
        results.append({"case": case, "route": row["route"], "route_ms": ours, "torch_ms": theirs,
                        "torch_samples_ms": times[case], "ratio": theirs / ours})
        print(f"{row['route']:18} {ours:10.4f} {theirs:10.4f} {theirs / ours:12.3f}  {case}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as f:
            json.dump({"torch": torch.__version__, "device": torch.cuda.get_device_name(), "rows": results}, f,
                      indent=1)
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
