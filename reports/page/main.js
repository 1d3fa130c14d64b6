// The page: sections in the order in which a reader needs them, contents, filter and colours.

const main = document.getElementById("main");
const sections = [];

function section(id, title, note, ...children) {
  const kept = children.flat(Infinity).filter(Boolean);
  if (!kept.length) return;
  const element =
      h("section", {id}, id === "verdict" ? null : h("h2", null, title), note && h("p", {class: "note"}, note), kept);
  sections.push({id, title, element});
  main.append(element);
}

function tile(name, value, note) {
  return h("div", null, h("dt", null, name), h("dd", null, value, note && h("small", null, " " + note)));
}

function verdict_part() {
  const {check, current, run} = report;
  const timed = rows.filter(r => r.median).length;
  const routes = report.routes.filter(r => r.name !== "reference").length, doubted = total(tallies, "mistrusted");
  return [
    h("h1", null, current.name || report.host.processor),
    h("p", {class: "soft"},
      `Tier ${current.tier}; ${run.utc.replace("T", " ").replace("Z", " UTC")}; budget ${run.budget}`),
    h("div", {class: "verdict " + summary.verdict, role: "status"}, h("strong", null, summary.headline),
      h("span", null, summary.detail)),
    h("dl", {class: "tiles"}, tile("cases passed", count(check.passed)),
      tile("failed", h("span", {class: check.failed ? "bad" : null}, count(check.failed))),
      tile("mistrusted", h("span", {class: doubted ? "warn" : null}, count(doubted))),
      tile("refused or absent", count(check.skipped)),
      tile("operations", count(ops.length), `in ${plural(families().length, "family", "families")}`),
      tile("routes", count(routes)),
      tile("timings", count(timed), timed < rows.length ? `${count(rows.length - timed)} not timed` : ""))
  ];
}

function all_timings() {
  if (!rows.length) return h("p", {class: "soft"}, "No timings in this run.");
  const list = rows.filter(r => r.mode === "hot" || r.error);
  const table = timing_table(filtered(list, keeps_row), {page: 25, sort: "share of ceiling"});
  filter.listeners.push(table.redraw);
  return table;
}

function refusals_part() {
  const by_reason = new Map();
  for (const t of tallies)
    for (const [reason, n] of Object.entries(t.reasons)) {
      if (!by_reason.has(reason)) by_reason.set(reason, {reason, cases: 0, where: []});
      const entry = by_reason.get(reason);
      entry.cases += n;
      entry.where.push({name: `${t.op}@${t.route}`, n});
    }
  const list = [...by_reason.values()];
  if (!list.length) return null;
  const keep = e => keeps_text(e.reason) || e.where.some(w => keeps_text(w.name));
  const table = sortable({
    label: "Refusals",
    page: 15,
    items: filtered(list, keep),
    sort: "cases",
    down: true,
    columns: [
      {title: "reason", of: e => e.reason, cell: e => [e.reason, refused_where(e)]},
      {title: "routes", num: true, of: e => e.where.length, cell: e => count(e.where.length)},
      {title: "cases", num: true, of: e => e.cases, cell: e => count(e.cases)}
    ]
  });
  filter.listeners.push(table.redraw);
  return table;
}

function refused_where(entry) {
  const box = h("details", null, h("summary", null, entry.where.length === 1 ? entry.where[0].name : "which routes"));
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1)
      box.append(h("div", {class: "mono soft"}, entry.where.map(w => h("div", null, `${w.name}: ${count(w.n)}`))));
  });
  return box;
}

// ---- facts

const fact = (name, value) =>
    value === null || value === undefined || value.length === 0 ? null : [h("dt", null, name), h("dd", null, value)];
const megahertz = mhz => mhz ? `${three(mhz / 1000)} GHz` : null;

function run_facts() {
  const {run, host} = report;
  const environment = Object.entries(run.environment || {}), settings = Object.entries(run.settings || {});
  return h(
      "dl", {class: "facts"}, fact("date", run.utc.replace("T", " ").replace("Z", " UTC")),
      fact("command", h("code", null, run.command)), fact("version", [run.version, " ", run.commit || ""]),
      fact("build", `${run.compiler}, ${run.build_type}, ${run.flags}`),
      fact(
          "host",
          [`${host.processor}, ${host.isa}, ${plural(host.threads, "thread")}`, host.system && `, ${host.system}`]),
      fact("host clock", megahertz(host.clock_mhz)), fact("salt", String(run.salt ?? 0)),
      fact(
          "environment",
          environment.length ? environment.map(([k, v]) => h("div", {class: "mono"}, `${k}=${v}`)) :
              run.environment ? "no variable that matters was set" :
                                null),
      settings.length ? fact(
                            "settings",
                            h("details", null, h("summary", null, plural(settings.length, "value")),
                              settings.map(([k, v]) => h("div", null, `${k}: ${v}`)))) :
                        null);
}

function device_facts(d) {
  const verified =
      Object.entries(d.verified).filter(e => e[1]).map(e => e[0]).join(", ") || "nothing beyond the basics";
  const used = d.index === report.current.device ? ", used" : "";
  return h(
      "div", null, h("h3", null, d.name),
      h("dl", {class: "facts"}, fact("index, tier", `${d.index}, ${d.tier}${used}`), fact("platform", d.platform),
        fact("vendor", d.vendor), fact("driver", d.driver), fact("version", d.version),
        fact("clock", megahertz(d.clock_mhz)), fact("compute units", count(d.compute_units)),
        fact("memory", `${bytes(d.global_bytes)} global, ${bytes(d.local_bytes)} local`), fact("verified", verified),
        fact("notes", d.notes.map(n => h("div", null, n)))));
}

function driver_notes() {
  const notes = report.drivers || [];
  return notes.length ?
      h("div", null, h("h3", null, "Drivers that do not serve"), notes.map(n => h("p", {class: "note"}, n))) :
      null;
}

// In order of what they are: arithmetic first, then working sets from small to large.
function ceilings_table() {
  const order = c => copy_kib(c.name);
  const list = [...report.bench.ceilings, ...(report.bench.unmeasured || [])].sort(
      (a, b) => a.where.localeCompare(b.where) || a.threads - b.threads || order(a) - order(b) ||
          a.name.localeCompare(b.name));
  if (!list.length) return null;
  const title = c => copy_kib(c.name) ? `copy, ${bytes(copy_kib(c.name) * 1024)}` : c.name.replace("_", " ");
  return h(
      "div", null, h("h3", null, "Measured ceilings"), sortable({
        label: "Ceilings",
        page: 60,
        items: () => list,
        columns: [
          {title: "ceiling", of: c => order(c), cell: title},
          {title: "where", kind: "word", of: c => c.where, cell: c => c.where}, {
            title: "threads",
            num: true,
            low: true,
            of: c => c.threads,
            cell: c => (c.where === "device" ? "–" : c.threads)
          },
          {
            title: "measured",
            num: true,
            of: c => c.value || 0,
            cell: c => c.value ? quantity(c.value, is_flops(c) ? "flop/s" : "B/s") : `not: ${c.null_reason}`
          }
        ]
      }));
}

// ---- behaviour

function go_to_op(name) {
  const op = op_named.get(name);
  if (!op) return;
  if (!keeps_op(op)) {
    document.getElementById("filter").value = "";
    set_filter("");
    show_count();
  }
  tree.show(op);
  document.getElementById("op-" + name).scrollIntoView({block: "start"});
  history.replaceState(null, "", "#op-" + name);
}

function show_count() {
  const kept = filter.words.length ? ops.filter(keeps_op).length : ops.length;
  document.getElementById("count").textContent =
      filter.words.length ? `${kept} of ${ops.length}` : plural(ops.length, "operation");
}

function start_filter() {
  const input = document.getElementById("filter");
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      set_filter(input.value);
      show_count();
    }, 80);
  });
  document.addEventListener("keydown", e => {
    if (e.key === "/" && document.activeElement !== input) {
      e.preventDefault();
      input.focus();
    }
    if (e.key === "Escape") hide_tip();
  });
}

// auto: as the system says, and as it changes its mind.
function start_theme() {
  const button = document.getElementById("theme"), dark = matchMedia("(prefers-color-scheme: dark)");
  let choice = "auto";
  try {
    choice = localStorage.getItem("plumb-theme") || "auto";
  } catch { /* a page without storage */
  }
  const show = () => {
    document.documentElement.dataset.theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    button.textContent = choice;
  };
  dark.addEventListener("change", show);
  button.addEventListener("click", () => {
    choice = {auto: "light", light: "dark", dark: "auto"}[choice] || "auto";
    try {
      localStorage.setItem("plumb-theme", choice);
    } catch { /* as above */
    }
    show();
  });
  show();
}

function start_contents() {
  const links = new Map(sections.map(s => [s.id, h("a", {href: "#" + s.id}, s.title)]));
  document.getElementById("contents").append(...links.values());
  const visible_now = new Set();
  const observer = new IntersectionObserver(entries => {
    for (const e of entries) e.isIntersecting ? visible_now.add(e.target.id) : visible_now.delete(e.target.id);
    const here = sections.find(s => visible_now.has(s.id));
    for (const [id, link] of links) link.classList.toggle("here", id === here?.id);
  }, {rootMargin: "-60px 0px -50% 0px"});
  for (const s of sections) observer.observe(s.element);
}

start_theme();
const tree = operations_tree();
main.replaceChildren();
section("verdict", "Verdict", null, verdict_part());
const worst = worst_parts();
section("worst", "Worst first", null, worst.length && h("div", {class: "cards"}, worst));
section("operations", "Operations", null, tree.tools, tree);
section(
    "plots", "Plots", null,
    h("div", {class: "cards"}, ["device", "host"].map(roofline), share_plot(), error_plot(), peer_plot()));
section(
    "timings", "Timings",
    "Launch to completion in real time, transfers excluded: medians. Share: of the ceiling that " +
        "binds, which the same machine reached in the same run.",
    all_timings());
section("refusals", "Refusals", "Calls that a route does not claim to serve. They are not passes.", refusals_part());
section(
    "facts", "Facts", null, run_facts(),
    h("div", {class: "cards"}, report.devices.map(device_facts), driver_notes(), ceilings_table()));
for (const list of document.querySelectorAll("#worst .sortable")) filter.listeners.push(list.redraw);
document.body.append(tip);
start_contents();
start_filter();
show_count();
if (location.hash.startsWith("#op-")) go_to_op(decodeURIComponent(location.hash.slice(4)));
