#!/usr/bin/env python3
"""Renders report.json as report.md and one self-contained report.html beside it.

    reports/render.py out/report.json

Needs matplotlib for the plots; every number on the pages comes from the JSON.
"""

import html
import io
import json
import os
import re
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

matplotlib.rcParams["svg.hashsalt"] = "plumb"  # the same report gives the same bytes
matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
TIER_COLORS = {"unavailable": "#4878a8", "gpu": "#6a9f58", "neural_accelerator": "#c85a3c"}
TIER_TITLES = {"unavailable": "CPU", "gpu": "gpu", "neural_accelerator": "neural_accelerator"}


# A page is a list of parts: ("heading", text), ("text", text), ("table", headers, rows), ("svg", title, svg).

def quantity(value, unit):
    for prefix in ["", "k", "M", "G", "T"]:
        if value < 1000:
            return f"{value:.3g} {prefix}{unit}"
        value /= 1000
    return f"{value:.3g} P{unit}"


def duration(seconds):
    for unit in ["s", "ms", "us", "ns"]:
        if seconds >= 1 or unit == "ns":
            return f"{seconds:.3g} {unit}"
        seconds *= 1000


def verdict(tally):
    """One cell of the matrix."""
    if tally["failed"]:
        return f"FAIL {tally['failed']} of {tally['failed'] + tally['passed']}"
    if tally["passed"]:
        return f"{tally['passed']}"
    return "absent" if tally["absent"] else "refused"


def facts(report):
    run, host, current = report["run"], report["host"], report["current"]
    rows = [
        ["when", run["utc"]], ["command", run["command"]], ["version", f"{run['version']} {run['commit'] or ''}"],
        ["compiler", f"{run['compiler']} {run['build_type']} {run['flags']}"],
        ["host", f"{host['processor']}, {host['isa']}, {host['threads']} threads"],
        ["device", current["name"] or "none"], ["tier", current["tier"]],
    ]
    progress = report.get("progress", {"complete": True})
    if not progress["complete"]:
        checked, timed = progress["checked"], progress["timed"]
        yield "text", (f"PARTIAL: this run was stopped. {checked['done']} of {checked['total']} operations are judged, "
                       f"{timed['done']} of {timed['total']} cases timed; the same command with --resume goes on.")
    yield "table", ["", ""], rows
    for device in report["devices"]:
        verified = ", ".join(k for k, v in device["verified"].items() if v) or "nothing beyond the basics"
        notes = "; ".join(device["notes"])
        yield "text", f"Device {device['index']}, {device['name']} ({device['platform']}): {device['tier']}. Verified: {verified}. {notes}"


def matrix(report):
    """Ops down, routes across by tier; a cell is the number of cases that passed.

    The reference is the judge: what it shows is that wrong calls are rejected."""
    check = report["check"]
    by_tier = defaultdict(lambda: defaultdict(list))
    for t in check["tallies"]:
        tier = "reference" if t["route"] == "reference" else t["tier"]
        by_tier[t["op"]][tier].append(f"{t['route']}: {verdict(t)}" if tier != "reference" else verdict(t))
    tiers = ["reference", "unavailable", "gpu", "neural_accelerator"]
    rows = [[op] + ["; ".join(cells[tier]) or "-" for tier in tiers] for op, cells in by_tier.items()]
    yield "text", f"{check['passed']} passed, {check['failed']} failed, {check['skipped']} skipped (budget {report['run']['budget']})."
    yield "table", ["op", "calls rejected", "CPU routes", "gpu routes", "neural_accelerator routes"], rows


def failures(report):
    if report["check"]["failures"]:
        yield "heading", "Failures"
        rows = [[f["case"], f["route"], f["message"], f["repro"]] for f in report["check"]["failures"]]
        yield "table", ["case", "route", "what", "repro"], rows


def ratios(report):
    ranked = sorted((t for t in report["check"]["tallies"] if t["worst"] > 0), key=lambda t: -t["worst"])
    rows = [[f"{t['op']}@{t['route']}", f"{t['worst']:.3g}", t["worst_case"]] for t in ranked]
    yield "text", ("Error divided by what the bound of the route's own declared order allows, largest over its passing "
                   "cases. Routes that are not listed were exact.")
    yield "table", ["route", "worst ratio", "case"], rows
    worst = [(f"{t['op']}@{t['route']}", t["worst"], t["tier"]) for t in ranked]
    if worst:
        yield "svg", "Worst error ratios", bars(worst, "error / allowed", 1.0)


def refusals(report):
    rows = [[f"{t['op']}@{t['route']}", reason, str(times)]
            for t in report["check"]["tallies"] for reason, times in t["reasons"].items()]
    yield "table", ["route", "reason", "cases"], rows


def efficiency_text(row):
    if row["error"]:
        return "ERROR: " + row["error"]
    if row["efficiency"] is None:
        return row["null_reason"]
    return f"{row['efficiency']:.3f} of {row['bound']}"


def bench_row(row):
    median = row["median"] if row["seconds"] else None
    times = [duration(row[key]) for key in ("median", "mad", "min")] if median is not None else ["not timed", "-", "-"]
    return [row["case"], row["route"], row["mode"], str(row["threads"]), *times, quantity(row["flops"] / median, "flop/s") if median and row["flops"] else "-",
            quantity(row["bytes"] / median, "B/s") if median and row["bytes"] else "-", efficiency_text(row),
            "yes" if row["verified"] else "no"]


def times(report):
    bench = report["bench"]
    if not bench["rows"]:
        yield "text", "No timings in this run."
        return
    yield "table", ["ceiling", "where", "threads", "measured"], [
        [c["name"], c["where"], str(c["threads"]), quantity(c["value"], c["unit"])] for c in bench["ceilings"]]
    yield "table", ["case", "route", "mode", "threads", "median", "mad", "min", "rate", "traffic", "efficiency",
                    "verified"], [bench_row(r) for r in bench["rows"]]
    tiers = {(r["op"], r["name"]): r["tier"] for r in report["routes"]}
    best = {}
    for r in bench["rows"]:
        if r["efficiency"] is not None:
            key = f"{r['op']}@{r['route']}" + (f" x{r['threads']}" if r["threads"] > 1 else "")
            if r["efficiency"] >= best.get(key, (0, ""))[0]:
                best[key] = (r["efficiency"], tiers.get((r["op"], r["route"]), "unavailable"))
    if best:
        items = [(key, value, tier) for key, (value, tier) in best.items()]
        yield "svg", "Efficiency, the best size of each route", bars(items, "share of the measured ceiling", 1.0)


def bars(items, axis, limit):
    """Horizontal bars, one per (label, value, tier), as SVG text."""
    figure, axes = plt.subplots(figsize=(9, 0.6 + 0.24 * len(items)))
    labels, values = [i[0] for i in items][::-1], [i[1] for i in items][::-1]
    axes.barh(labels, values, color=[TIER_COLORS.get(i[2], "#888888") for i in items][::-1], height=0.7)
    axes.axvline(limit, color="#333333", linewidth=0.8)
    axes.set_xlabel(axis)
    axes.tick_params(labelsize=8)
    axes.margins(y=0.01)
    present = sorted({i[2] for i in items}, key=list(TIER_COLORS).index)
    handles = [plt.Rectangle((0, 0), 1, 1, color=TIER_COLORS[t]) for t in present]
    axes.legend(handles, [TIER_TITLES[t] for t in present], fontsize=8, loc="lower right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    out = io.StringIO()
    figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    return re.sub(r"^.*?(?=<svg )", "", out.getvalue(), flags=re.S)


def page(report):
    """The parts, tables without rows as a word."""
    for part in sections(report):
        yield ("text", "None.") if part[0] == "table" and not part[2] else part


def sections(report):
    yield from facts(report)
    yield "heading", "Operations by route and tier"
    yield from matrix(report)
    yield from failures(report)
    yield "heading", "Worst error ratios"
    yield from ratios(report)
    yield "heading", "Speed"
    yield from times(report)
    yield "heading", "Refusals by reason"
    yield from refusals(report)


def markdown(parts, title):
    def line(cells):
        return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"

    out = [f"# {title}"]
    for kind, *rest in parts:
        if kind == "heading":
            out.append(f"## {rest[0]}")
        elif kind == "text":
            out.append(rest[0])
        elif kind == "table":
            headers, rows = rest
            out.append("\n".join([line(headers), "|" + "---|" * len(headers)] + [line(r) for r in rows]))
        elif kind == "svg":
            out.append(f"The plot \"{rest[0]}\" is on the HTML page.")
    return "\n\n".join(out) + "\n"


STYLE = """body{font:14px/1.45 system-ui,sans-serif;max-width:1280px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0;display:block;overflow-x:auto}
td,th{border-bottom:1px solid #ddd;padding:3px 10px;text-align:left;vertical-align:top}
th{border-bottom:2px solid #999}h2{margin-top:2em}.bad{color:#b00020;font-weight:600}svg{max-width:100%;height:auto}"""


def cell(text):
    mark = ' class="bad"' if text.startswith(("FAIL", "ERROR")) or ": FAIL" in text else ""
    return f"<td{mark}>{html.escape(text)}</td>"


def webpage(parts, title):
    out = [f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(title)}</title>",
           f"<style>{STYLE}</style><h1>{html.escape(title)}</h1>"]
    for kind, *rest in parts:
        if kind == "heading":
            out.append(f"<h2>{html.escape(rest[0])}</h2>")
        elif kind == "text":
            out.append(f"<p>{html.escape(rest[0])}</p>")
        elif kind == "table":
            headers, rows = rest
            head = "<tr>" + "".join(f"<th>{html.escape(h)}</th>" for h in headers) + "</tr>" if any(headers) else ""
            body = "\n".join("<tr>" + "".join(map(cell, r)) + "</tr>" for r in rows)
            out.append(f"<table>{head}{body}</table>")
        elif kind == "svg":
            out.append(f"<h3>{html.escape(rest[0])}</h3>{rest[1]}")
    return "\n".join(out) + "</html>\n"


def main(path):
    with open(path) as f:
        report = json.load(f)
    current = report["current"]
    title = f"Plumbline on {current['name'] or report['host']['processor']} ({current['tier']})"
    parts = list(page(report))
    base = os.path.splitext(path)[0]
    for suffix, text in ((".md", markdown(parts, title)), (".html", webpage(parts, title))):
        with open(base + suffix, "w") as f:
            f.write(text)
        print(base + suffix)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
