// Plots as SVG, drawn to the width that they have: when they come near the screen, and again when that changes.

const tip = h("div", {class: "tip", hidden: true});

// draw: width -> svg element.
function plot(title, note, series, draw) {
  const area = h("div", {class: "plot"});
  let width = 0, seen = false;
  const redraw = () => {
    if (seen && width) area.replaceChildren(draw(width));
  };
  new ResizeObserver(entries => {
    const now = Math.floor(entries[0].contentRect.width);
    if (now !== width) {
      width = now;
      redraw();
    }
  }).observe(area);
  new IntersectionObserver((entries, self) => {
    if (!entries.some(e => e.isIntersecting)) return;
    self.disconnect();
    seen = true;
    redraw();
  }, {rootMargin: "600px"}).observe(area);
  filter.listeners.push(redraw);
  const legend =
      h("div", {class: "legend"}, series.map(([name, index]) => h("span", null, h("i", {class: "s" + index}), name)));
  return h("figure", null, h("figcaption", null, title, h("span", null, note)), series.length ? legend : null, area);
}

const log_scale = (low, high, from, to) => v =>
    from + (to - from) * (Math.log10(v) - Math.log10(low)) / (Math.log10(high) - Math.log10(low));

// Powers of ten; every second or third one where they are too many for the room.
function decades(low, high, most_ticks) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first + 1) / most_ticks));
  const ticks = [];
  for (let e = first; e <= last; e += step) ticks.push(10 ** e);
  return ticks;
}

const floor_decade = v => 10 ** Math.floor(Math.log10(v) + 1e-9);
const ceil_decade = v => 10 ** Math.ceil(Math.log10(v) - 1e-9);
const plain = v =>
    v === 0 || v >= 0.001 && v < 1e5 ? String(Number(v.toPrecision(3))) : "1e" + Math.round(Math.log10(v));

function show_tip(event, words) {
  tip.textContent = visible_lines(words);
  tip.hidden = false;
  const box = tip.getBoundingClientRect(), at = event.target.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(innerWidth - box.width - 4, at.left + at.width / 2 - box.width / 2)) + "px";
  tip.style.top = (at.top > box.height + 60 ? at.top - box.height - 6 : at.bottom + 6) + "px";
}
const hide_tip = () => {
  tip.hidden = true;
};
const visible_lines = words => words.map(visible).join("\n");

function dot(x, y, series, kept, words, op) {
  return h("circle", {
    class: `dot s${series}` + (kept ? "" : " off"),
    cx: x.toFixed(1),
    cy: y.toFixed(1),
    r: 4,
    "aria-label": words.join("; "),
    onmouseenter: e => show_tip(e, words),
    onmouseleave: hide_tip,
    onclick: () => {
      hide_tip();
      go_to_op(op);
    }
  });
}

function x_axis(box, ticks, scale, text, title) {
  return [
    ticks.map(
        t =>
            [h("line", {class: "grid", x1: scale(t), x2: scale(t), y1: box.top, y2: box.bottom}),
             h("text", {x: scale(t), y: box.bottom + 16, "text-anchor": "middle"}, text(t))]),
    h("line", {class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom}),
    h("text", {class: "label", x: (box.left + box.right) / 2, y: box.bottom + 34, "text-anchor": "middle"}, title)
  ];
}

function y_axis(box, ticks, scale, text, title) {
  return [
    ticks.map(
        t =>
            [h("line", {class: "grid", x1: box.left, x2: box.right, y1: scale(t), y2: scale(t)}),
             h("text", {x: box.left - 7, y: scale(t) + 4, "text-anchor": "end"}, text(t))]),
    h("line", {class: "axis", x1: box.left, x2: box.left, y1: box.top, y2: box.bottom}),
    h("text", {class: "label", x: 0, y: box.top - 10}, title)
  ];
}

// ---- roofline

const is_flops = c => c.unit === "flop/s";
function roofs(where) {
  const of_place = report.bench.ceilings.filter(c => c.where === where);
  const threads = most(of_place.map(c => c.threads));
  const all = of_place.filter(c => c.threads === threads);
  const sized = all.filter(c => !is_flops(c)).map(c => ({...c, kib: copy_kib(c.name)}));
  sized.sort((a, b) => a.kib - b.kib);
  return {
    flops: all.filter(is_flops).sort((a, b) => b.value - a.value),
    memory: sized.at(-1),
    fastest: sized.reduce((a, b) => (!a || b.value > a.value ? b : a), null)
  };
}
const copy_kib = name => Number((/^copy_(\d+)KiB$/.exec(name) || [])[1] || 0);

function roof_line(box, x, y, memory, peak, kind) {
  const low = box.low, high = box.high, knee = peak / memory;
  const points = [
    [low, Math.min(peak, low * memory)], [Math.min(Math.max(knee, low), high), Math.min(peak, high * memory)],
    [high, Math.min(peak, high * memory)]
  ];
  return h("path", {
    class: "roof " + kind,
    "clip-path": "none",
    d: "M" + points.map(([i, f]) => `${x(i).toFixed(1)},${y(Math.max(f, box.floor)).toFixed(1)}`).join("L")
  });
}

function roofline_points(where) {
  return rows.filter(r => r.mode === "hot" && r.place === where && r.rate && r.bytes)
      .map(row => ({row, x: row.flops / row.bytes, y: row.rate}));
}

function draw_roofline(where, points, width) {
  const {flops, memory, fastest} = roofs(where);
  const height = Math.round(Math.max(300, Math.min(460, width * 0.8)));
  const box = {left: 62, right: width - 22, top: 26, bottom: height - 44};
  const xs = points.map(p => p.x), ys = points.map(p => p.y);
  box.low = floor_decade(Math.min(...xs)), box.high = ceil_decade(Math.max(...xs, 10));
  box.floor = floor_decade(Math.min(...ys));
  const top = ceil_decade(Math.max(...ys, ...flops.map(c => c.value)));
  const x = log_scale(box.low, box.high, box.left, box.right), y = log_scale(box.floor, top, box.bottom, box.top);
  const lines = memory && flops.length ?
      [
        fastest !== memory && roof_line(box, x, y, fastest.value, flops[0].value, "thin"),
        flops.map((c, i) => roof_line(box, x, y, memory.value, c.value, i ? "thin" : ""))
      ] :
      [];
  return h(
      "svg", {width, height, role: "img"},
      x_axis(box, decades(box.low, box.high, Math.floor(width / 60)), x, plain, "arithmetic intensity, flop per byte"),
      y_axis(box, decades(box.floor, top, 8), y, v => quantity(v, "").replace(/\.0+ /, " ").trim(), "flop/s"), lines,
      points.map(p => dot(x(p.x), y(p.y), group_of(p.row.dtype), keeps_row(p.row), timing_words(p.row), p.row.op)),
      roof_names(flops, y, box));
}

// Above its line; of two that would meet, the lower one below it.
function roof_names(flops, y, box) {
  return flops.map((c, i) => {
    const crowded = i > 0 && y(c.value) - y(flops[i - 1].value) < 30;
    return h(
        "text", {class: "on", x: box.right, y: y(c.value) + (crowded ? 15 : -5), "text-anchor": "end"},
        `${c.name}: ${quantity(c.value, "flop/s")}`);
  });
}

function timing_words(row) {
  return [
    row.case,
    `${row.route}: ${duration(row.median)}, ${row.rate ? quantity(row.rate, "flop/s") : "no multiply-adds"}, ` +
        quantity(row.traffic, "B/s"),
    row.efficiency === null ? row.null_reason : `${percent(row.efficiency)} of the ${row.bound} ceiling`
  ];
}

function roofline(where) {
  const points = roofline_points(where);
  if (!points.length) return null;
  const {memory, fastest} = roofs(where);
  const note = !memory ? "" :
                         `Slope: ${quantity(memory.value, "B/s")} for a working set of ${bytes(memory.kib * 1024)}` +
          (fastest !== memory ?
               `; dashed, the fastest set: ${quantity(fastest.value, "B/s")} for ${bytes(fastest.kib * 1024)}.` :
               ".");
  const used = [...new Set(points.map(p => group_of(p.row.dtype)))].sort();
  const name = where === "device" ? "Device" : "Host, " + plural(report.host.threads, "thread");
  return plot("Roofline: " + name, note, used.map(i => [GROUPS[i][0], i]), w => draw_roofline(where, points, w));
}

// ---- ratios by family: one line a family, one dot an operation

// points: [{group, value, series, kept: () -> bool, words, op}]; ends: the least and the greatest value drawn.
function draw_strips(groups, points, axis, width) {
  const narrow = width < 560, line = 22, label = narrow ? 118 : 150;
  const box = {left: label, right: width - 24, top: 8, bottom: 8 + line * groups.length};
  const x = axis.linear ? v => box.left + 6 + (box.right - box.left - 6) * (v - axis.low) / (axis.high - axis.low) :
                          log_scale(axis.low, axis.high, box.left + 6, box.right);
  const place = v => x(Math.min(axis.high, Math.max(axis.low, v)));
  const names = groups.map((g, i) => {
    const y = box.top + line * (i + 0.5);
    return [
      h("line", {class: "grid", x1: box.left, x2: box.right, y1: y, y2: y}),
      h("text", {class: "label", x: box.left - 8, y: y + 4, "text-anchor": "end"}, short_name(g, narrow ? 17 : 22))
    ];
  });
  const dots = points.map(
      p =>
          dot(place(p.value), box.top + line * (groups.indexOf(p.group) + 0.5 + p.shift), p.series, p.kept(), p.words,
              p.op));
  const ticks = axis.linear || decades(axis.low, axis.high, Math.floor((box.right - box.left) / 56));
  return h(
      "svg", {width, height: box.bottom + 42, role: "img"}, names, x_axis(box, ticks, x, axis.text, axis.title),
      axis.mark && h("line", {class: "roof", x1: x(axis.mark), x2: x(axis.mark), y1: box.top, y2: box.bottom}), dots);
}
const short_name = (name, length) => {
  const text = spaced_name(name);
  return text.length > length ? text.slice(0, length - 1) + "…" : text;
};

const family_names = () => [...new Set(ops.map(op => op.family))];

function share_plot() {
  const points = summary.slowest.map(i => rows[i]).map(row => ({
                                                         group: op_named.get(row.op)?.family || "other",
                                                         value: row.efficiency,
                                                         series: row.on_device ? 1 : 0,
                                                         shift: row.on_device ? -0.16 : 0.16,
                                                         kept: () => keeps_row(row),
                                                         op: row.op,
                                                         words: [row.op, ...timing_words(row)]
                                                       }));
  if (!points.length) return null;
  const groups = family_names().filter(f => points.some(p => p.group === f));
  const low = Math.max(1e-6, floor_decade(Math.min(...points.map(p => p.value))));
  return plot(
      "Share of the ceiling, by family", "One dot an operation and place: its best timing, of all routes and sizes.",
      [["device", 1], ["host", 0]].filter(s => points.some(p => p.series === s[1])),
      w => draw_strips(
          groups, points, {
            low,
            high: 1,
            text: v => v * 100 >= 0.001 ? Number((v * 100).toPrecision(3)) + " %" : plain(v),
            title: "share of the measured ceiling",
            mark: 1
          },
          w));
}

function error_plot() {
  const judged = tallies.filter(t => t.worst > 0 && t.route !== "reference");
  if (!judged.length) return null;
  const points = judged.map(t => {
    const device = !!route_named.get(t.op + "@" + t.route)?.on_device;
    return {
      group: op_named.get(t.op)?.family || "other",
      value: t.worst,
      series: device ? 1 : 0,
      shift: device ? -0.16 : 0.16,
      kept: () => keeps_tally(t),
      op: t.op,
      words: [`${t.op}@${t.route}`, `error / allowed: ${ratio(t.worst)}`, t.worst_case]
    };
  });
  const groups = family_names().filter(f => points.some(p => p.group === f));
  const exact = tallies.filter(t => t.worst === 0 && t.passed && t.route !== "reference").length;
  return plot(
      "Error as a share of what is allowed, by family",
      "One dot a route: the largest of its passing cases. " +
          `At 1 a bound would be used up; ${plural(exact, "route")} with no error at all are not drawn.`,
      [["device routes", 1], ["CPU routes", 0]].filter(s => points.some(p => p.series === s[1])),
      w => draw_strips(
          groups, points,
          {low: 0, high: 1, linear: [0, 0.2, 0.4, 0.6, 0.8, 1], text: plain, title: "error / allowed", mark: 1}, w));
}

function peer_plot() {
  const pairs = summary.peers.map(b => ({...b, row: rows[b.row], peer: rows[b.peer]}));
  if (!pairs.length) return null;
  const points = pairs.map(
      b => ({
        group: b.row.op,
        value: b.ratio,
        series: group_of(b.row.dtype),
        shift: 0,
        kept: () => keeps_row(b.row),
        op: b.row.op,
        words: [
          b.row.case, `${b.peer.route}: ${duration(b.peer.median)}; ${b.row.route}: ${duration(b.row.median)}`,
          `ratio ${ratio(b.ratio)}`
        ]
      }));
  const groups = [...new Set(points.map(p => p.group))];
  const low = floor_decade(Math.min(0.5, ...points.map(p => p.value))),
        high = ceil_decade(Math.max(2, ...points.map(p => p.value)));
  const used = [...new Set(points.map(p => p.series))].sort();
  return plot(
      "Beside other libraries",
      "Time of the peer over time of the best CPU route, same case and threads. Right of 1 the route is faster.",
      used.map(i => [GROUPS[i][0], i]),
      w => draw_strips(groups, points, {low, high, text: plain, title: "peer time / route time", mark: 1}, w));
}
