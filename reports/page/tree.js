// Operations: families that unfold to operations, and those to routes, dtypes and timings. What is folded is not made.

function state_words(item) {
  if (item.failed || item.errors) return h("span", {class: "bad"}, plural(item.failed + item.errors, "failure"));
  if (item.mistrusted) return h("span", {class: "warn"}, count(item.mistrusted) + " mistrusted");
  if (!item.passed) return h("span", {class: "warn"}, "nothing ran");
  return h("span", {class: "good"}, "right");
}
const state_rank = item =>
    (item.failed || item.errors ? 3e9 + item.failed + item.errors :
         item.mistrusted        ? 2e9 + item.mistrusted :
         item.passed            ? 0 :
                                  1e9);

const timed_on = place => rows.some(r => r.place === place && r.efficiency !== null);
function tree_columns() {
  return [
    {title: "operation", of: item => item.name, cell: () => null},
    {title: "verdict", kind: "word", of: state_rank, first: "down", cell: state_words},
    {title: "passed", num: true, low: true, of: i => i.passed, cell: i => count(i.passed)},
    {
      title: "refused",
      num: true,
      mid: true,
      of: i => i.refused,
      cell: i => count(i.refused),
      help: "calls that a route does not claim to serve, or whose device is absent"
    },
    {
      title: "error / allowed",
      num: true,
      low: true,
      of: i => i.worst,
      cell: i => ratio(i.worst),
      help: "the largest of the passing cases; 0 is exact"
    },
    timed_on("device") && {
      title: "device share",
      num: true,
      first: "up",
      of: i => i.device_share,
      cell: i => share_bar(i.device_share),
      help: "of the ceiling that binds; a family: its least"
    },
    timed_on("host") && {
      title: "CPU share",
      num: true,
      low: timed_on("device"),
      first: "up",
      of: i => i.host_share,
      cell: i => share_bar(i.host_share),
      help: "of the ceiling that binds; a family: its least"
    },
    summary.peers.length > 0 && {
      title: "peer\u00a0/ route",
      num: true,
      mid: true,
      first: "up",
      of: i => i.against,
      cell: i => ratio(i.against),
      help: "the peer's time over ours, the least of the cases"
    },
  ].filter(Boolean);
}

const open_ops = new Set(), open_families = new Set();

function op_row(op, columns, flat) {
  const button = h("button", {type: "button", class: "fold", "aria-expanded": "false"}, name_text(op.name));
  const row = row_of(columns, op, flat ? "op" : "op member");
  row.id = "op-" + op.name;
  row.firstChild.append(button);
  row.fold = folding(
      button, () => op_inside(op), columns.length, open => open ? open_ops.add(op.name) : open_ops.delete(op.name));
  return row;
}

function family_row(family, columns, members) {
  const button = h("button", {type: "button", class: "fold", "aria-expanded": "false"}, spaced_name(family.name));
  const row = row_of(columns, family, "family");
  row.dataset.family = family.name;
  row.firstChild.append(button, h("span", {class: "soft low"}, "  " + plural(members.length, "operation")));
  return {row, button};
}

function add_family(body, family, members, columns, unfold) {
  const {row, button} = family_row(family, columns, members);
  body.append(row);
  let made = [];
  const set = open => {
    button.setAttribute("aria-expanded", String(open));
    for (const r of made) {
      r.fold && r.nextSibling?.className === "inner" && r.nextSibling.remove();
      r.remove();
    }
    made = open ? members.map(op => op_row(op, columns, false)) : [];
    row.after(...made);
    for (const r of made)
      if (open_ops.has(r.id.slice(3))) r.fold(true);
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    open ? open_families.add(family.name) : open_families.delete(family.name);
    set(open);
  });
  if (unfold) set(true);
}

function operations_tree() {
  const columns = tree_columns();
  const state = {column: null, down: false, grouped: true};
  const head = h("thead"), body = h("tbody", {id: "tree"});
  const all = families();
  const ordered = list => (state.column ? sorted_by(list, state.column, state.down) : list);
  function draw() {
    head.replaceChildren(h("tr", null, columns.map(c => header_cell(c, state, sort))));
    body.replaceChildren();
    const kept = ops.filter(keeps_op);
    if (!kept.length)
      body.append(h("tr", null, h("td", {colspan: columns.length, class: "soft"}, "No operation matches the filter.")));
    if (!state.grouped)
      return ordered(kept).forEach(op => {
        const row = op_row(op, columns, true);
        body.append(row);
        if (open_ops.has(op.name)) row.fold(true);
      });
    for (const family of ordered(all)) {
      const members = ordered(family.ops.filter(op => kept.includes(op)));
      if (members.length)
        add_family(
            body, family, members, columns,
            open_families.has(family.name) || (filter.words.length > 0 && kept.length <= 40));
    }
  }
  const sort = sort_control(state, draw);
  filter.listeners.push(draw);
  draw();
  const tree = h("div", {class: "scroll"}, h("table", {"aria-label": "Operations"}, head, body));
  tree.show = op => {
    open_ops.add(op.name);
    if (state.grouped) open_families.add(op.family);
    draw();
  };
  tree.tools = tree_tools(all, state, draw);
  return tree;
}

function tree_tools(all, state, draw) {
  const grouped = h("input", {
    type: "checkbox",
    id: "grouped",
    checked: true,
    onchange: e => {
      state.grouped = e.target.checked;
      draw();
    }
  });
  const unfold = open => () => {
    open_families.clear();
    if (open)
      all.forEach(f => open_families.add(f.name));
    else
      open_ops.clear();
    draw();
  };
  return h(
      "div", {class: "tools"}, h("label", null, grouped, "by family"),
      h("button", {type: "button", id: "unfold", onclick: unfold(true)}, "Unfold families"),
      h("button", {type: "button", onclick: unfold(false)}, "Fold all"));
}

// ---- inside an operation

function op_inside(op) {
  const attributes = Object.entries(op.attributes).map(([k, v]) => `${k} = ${v}`).join(", ");
  return [
    op.equation && h("div", {class: "equation"}, op.equation),
    op.meaning && h("p", {class: "note"}, op.meaning),
    h("div", {class: "chips"}, op.dtypes.map(t => h("span", {class: "chip"}, t))),
    h("p", {class: "soft"},
      `(${op.inputs.join(", ")}) to (${op.outputs.join(", ")})` + (attributes ? `; defaults: ${attributes}` : "") +
          `; judged: ${op.tolerance}`),
    op_failures(op),
    h("h4", null, "Routes"),
    routes_table(op),
    op.rows.length ? [h("h4", null, "Timings by dtype"), dtype_sections(op)] :
                     h("p", {class: "soft"}, "No timings of this operation in this run."),
  ];
}

function op_failures(op) {
  const failed = report.check.failures.filter(f => f.op === op.name);
  return failed.length ? [h("h4", null, "Failures"), failure_table(() => failed, 5)] : null;
}

function routes_table(op) {
  const listed = op.tallies.map(t => ({...t, route_row: route_named.get(op.name + "@" + t.route)}));
  return sortable({
    label: "Routes of " + op.name,
    page: 50,
    items: () => listed,
    columns: [
      {title: "route", kind: "word", of: t => t.route, cell: route_cell},
      {title: "passed", num: true, of: t => t.passed, cell: t => count(t.passed)},
      {
        title: "failed",
        num: true,
        of: t => t.failed,
        cell: t => h("span", {class: t.failed ? "bad" : null}, count(t.failed))
      },
      {title: "refused", num: true, low: true, of: t => t.refused + t.absent, cell: t => count(t.refused + t.absent)},
      {
        title: "error / allowed",
        num: true,
        of: t => t.worst,
        cell: t => (t.route === "reference" ? "–" : ratio(t.worst))
      },
      {title: "nearest to its bound, refusals", mid: true, cell: tally_notes},
    ]
  });
}

function route_cell(tally) {
  const tier = {unavailable: "CPU", gpu: "device", neural_accelerator: "matrix units"}[tally.tier];
  return [tally.route, h("div", {class: "soft"}, tally.route === "reference" ? "the judge" : tier)];
}

function tally_notes(tally) {
  const conditions = tally.route_row?.seen || [];
  return [
    tally.worst > 0 && h("div", {class: "mono"}, case_text(inside_op(tally.worst_case))),
    Object.entries(tally.reasons).map(([reason, n]) => h("div", {class: "soft"}, `${count(n)} refused: ${reason}`)),
    conditions.length > 0 &&
        h("details", null, h("summary", null, plural(conditions.length, "condition")),
          conditions.map(
              c =>
                  h("div", {class: "soft"},
                    `${c.stage}: ${c.refusal} (held ${count(c.seen_true)}, not ${count(c.seen_false)})`)))
  ];
}

const inside_op = id => id.slice(id.indexOf("/") + 1);

// One fold for each dtype of the first input; the only one, or the first, is open.
function dtype_sections(op) {
  const by_dtype = Map.groupBy ? Map.groupBy(op.rows, r => r.dtype) : grouped_by(op.rows, r => r.dtype);
  return [...by_dtype].map(([dtype, list], at) => {
    const best = most(list.filter(r => r.efficiency !== null).map(r => r.efficiency));
    const box =
        h("details", {class: "dtype"},
          h("summary", null,
            `${dtype === "none" ? "no input" : dtype}: ` +
                `${plural(list.length, "timing")}` + (best === null ? "" : `, best share ${percent(best)}`)));
    const fill = () => {
      if (box.children.length === 1) box.append(timing_table(() => list, {inside: true, page: 40}));
    };
    box.addEventListener("toggle", () => box.open && fill());
    if (at === 0) {
      box.open = true;
      fill();
    }
    return box;
  });
}

function grouped_by(list, key) {
  const groups = new Map();
  for (const item of list) groups.has(key(item)) ? groups.get(key(item)).push(item) : groups.set(key(item), [item]);
  return groups;
}

// ---- timings, of one operation or of all

function timing_table(items, {inside = false, page = 25, sort = null, down = false} = {}) {
  return sortable({
    label: "Timings",
    items,
    page,
    sort,
    down,
    empty: "No timings.",
    columns: [
      {title: "case", kind: "case", of: r => r.case, cell: r => timing_case(r, inside)},
      {title: "route", kind: "word", of: r => r.route, cell: r => [r.route, threads_of(r)], low: true},
      {title: "median", num: true, of: r => r.median || null, cell: median_cell},
      {
        title: "±\u00a0MAD",
        num: true,
        mid: true,
        of: r => (r.median ? r.mad / r.median : null),
        help: "median absolute deviation",
        cell: r => (r.median ? percent(r.mad / r.median) : "–")
      },
      {
        title: "cold",
        num: true,
        mid: true,
        of: r => r.cold?.median || null,
        help: "preparation included",
        cell: r => (r.cold ? duration(r.cold.median) : "–")
      },
      {title: "rate", num: true, low: true, of: r => r.rate, cell: r => quantity(r.rate, "flop/s")},
      {title: "traffic", num: true, mid: true, of: r => r.traffic, cell: r => quantity(r.traffic, "B/s")},
      {title: "share of ceiling", num: true, first: "up", of: r => r.efficiency, cell: share_cell},
      summary.peers.length > 0 &&
          {title: "peer\u00a0/ route", num: true, mid: true, of: r => r.against, cell: r => ratio(r.against)},
    ].filter(Boolean)
  });
}

function timing_case(row, inside) {
  return [
    inside ? case_text(inside_op(row.case)) : case_text(row.case),
    h("div", {class: "soft only-phone"}, row.route, threads_of(row)), row.error && h("div", {class: "bad"}, row.error)
  ];
}

// Threads are those of the host's routes; a device has its own.
const threads_of = row => row.on_device ? null : h("div", {class: "soft"}, plural(row.threads, "thread"));
const median_cell = row => row.median ? duration(row.median) : h("span", {class: "soft"}, "not timed");

function share_cell(row) {
  if (row.efficiency === null)
    return h("span", {class: row.error ? "bad" : "soft reason"}, row.error ? "error" : row.null_reason);
  return [share_bar(row.efficiency), h("div", {class: "soft"}, row.bound)];
}
