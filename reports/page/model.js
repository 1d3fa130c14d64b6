// The facts of the run, joined: which tallies, timings and conditions belong to an operation, and the few figures by
// which operations are ranked. `summary` was made beside the Markdown page, so that both pages name the same things.

const {report, summary} = JSON.parse(document.getElementById("data").textContent);
const rows = report.bench.rows;
const tallies = report.check.tallies;

const dtype_of = id => (/^[^/]*\/([a-z]+[0-9]*)\./.exec(id) || [])[1] || "none";
const GROUPS = [
  ["f32", "f32"], ["f16, bf16", "f16 bf16"], ["f64, c64", "f64 c64 c128"],
  ["integers, bool", "bool u8 u16 u32 u64 i8 i16 i32 i64"], ["no input", "none"]
];
const group_of = dtype => Math.max(0, GROUPS.findIndex(g => g[1].split(" ").includes(dtype)));

const ops = report.ops.map(op => ({...op, family: op.family || "other", routes: [], tallies: [], rows: []}));
const op_named = new Map(ops.map(op => [op.name, op]));
const route_named = new Map();

function join_routes() {
  for (const r of report.routes) {
    const route = {...r, on_device: r.needs !== "unavailable", seen: []};
    route_named.set(r.op + "@" + r.name, route);
    op_named.get(r.op)?.routes.push(route);
  }
  for (const c of report.coverage) route_named.get(c.op + "@" + c.route)?.seen.push(c);
  for (const t of tallies) op_named.get(t.op)?.tallies.push(t);
}

// A timing of what is prepared again and again belongs to the one that is prepared once.
function join_timings() {
  const hot = new Map();
  rows.forEach((row, index) => {
    row.index = index;
    row.dtype = dtype_of(row.case);
    row.peer = row.route.startsWith("peer.");
    row.on_device = !row.peer && !!route_named.get(row.op + "@" + row.route)?.on_device;
    row.place = row.peer ? "peer" : row.on_device ? "device" : "host";
    row.rate = row.median && row.flops ? row.flops / row.median : null;
    row.traffic = row.median && row.bytes ? row.bytes / row.median : null;
    const key = [row.case, row.route, row.threads].join("\n");
    if (row.mode === "hot")
      hot.set(key, row);
    else if (hot.has(key))
      hot.get(key).cold = row;
  });
  for (const row of rows)
    if (row.mode === "hot" || row.error) op_named.get(row.op)?.rows.push(row);
}

const least = values => values.reduce((a, b) => (a === null || b < a ? b : a), null);
const most = values => values.reduce((a, b) => (a === null || b > a ? b : a), null);
const total = (list, key) => list.reduce((sum, item) => sum + (item[key] || 0), 0);

function join_figures() {
  for (const b of summary.peers) {
    rows[b.row].against = b.ratio;
    rows[b.row].peer_row = rows[b.peer];
  }
  for (const op of ops) {
    op.passed = total(op.tallies, "passed");
    op.failed = total(op.tallies, "failed");
    op.refused = total(op.tallies, "refused") + total(op.tallies, "absent");
    op.mistrusted = total(op.tallies, "mistrusted");
    op.errors = op.rows.filter(r => r.error).length;
    op.worst = most(op.tallies.filter(t => t.route !== "reference").map(t => t.worst)) ?? null;
    op.against = least(op.rows.filter(r => r.against).map(r => r.against));
    op.words = [
      op.name, op.family, spaced_name(op.family), ...op.routes.map(r => r.name), ...op.dtypes
    ].join("\n").toLowerCase();
  }
  for (const index of summary.slowest) {
    const row = rows[index];
    const op = op_named.get(row.op);
    if (op) op[row.place + "_share"] = row.efficiency;
  }
}

function families() {
  const by_name = new Map();
  for (const op of ops) {
    if (!by_name.has(op.family)) by_name.set(op.family, {name: op.family, ops: []});
    by_name.get(op.family).ops.push(op);
  }
  for (const f of by_name.values()) {
    for (const key of ["passed", "failed", "refused", "mistrusted", "errors"]) f[key] = total(f.ops, key);
    f.worst = most(f.ops.map(op => op.worst).filter(v => v !== null));
    for (const key of ["device_share", "host_share", "against"])
      f[key] = least(f.ops.map(op => op[key]).filter(v => v !== undefined && v !== null));
  }
  return [...by_name.values()];
}

join_routes();
join_timings();
join_figures();

// The filter: every word must occur. An operation is kept by its own words, a timing by its case and route as well.
const filter = {
  words: [],
  listeners: []
};
const has_words = text => filter.words.every(w => text.includes(w));
const keeps_op = op => has_words(op.words) || op.rows.some(keeps_row);
function keeps_row(row) {
  row.words ??=
      [op_named.get(row.op)?.family || "", row.op, row.case, row.route, row.dtype, row.place].join("\n").toLowerCase();
  return has_words(row.words);
}
function keeps_tally(tally) {
  tally.words ??=
      [op_named.get(tally.op)?.family || "", tally.op, tally.route, tally.worst_case].join("\n").toLowerCase();
  return has_words(tally.words);
}
const keeps_text = text => has_words(text.toLowerCase());

function set_filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.join(" ") === filter.words.join(" ")) return;
  filter.words = words;
  for (const listener of filter.listeners) listener();
}
