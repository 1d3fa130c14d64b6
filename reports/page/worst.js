// What to look at first: what failed, what is not trusted, what is slow, each worst first.

function failure_table(items, page) {
  return sortable({
    label: "Failures",
    items,
    page,
    columns: [
      {
        title: "case",
        kind: "case",
        of: f => f.case,
        cell: f => [case_text(f.case), h("code", {class: "repro", title: "the command that shows it"}, f.repro)]
      },
      {
        title: "route",
        kind: "word",
        of: f => f.route,
        cell: f => [f.route, f.isa && h("div", {class: "soft"}, `${f.isa}, ${plural(f.threads, "thread")}`)]
      },
      {title: "what", low: true, of: f => f.message, cell: f => f.message},
    ]
  });
}

const op_link = name =>
    h("a", {
      href: "#op-" + name,
      onclick: e => {
        e.preventDefault();
        go_to_op(name);
      }
    },
      name_text(name));

// A list with a heading, or nothing where there is nothing to say.
function list_part(title, note, list, make, full) {
  if (!list.length) return null;
  return h("div", {class: full ? "full" : null}, h("h3", null, title), note && h("p", {class: "note"}, note), make());
}

function filtered(list, keep) { return () => list.filter(keep); }

function tally_list(label, list, columns, page) {
  return sortable({
    label,
    page,
    items: filtered(list, keeps_tally),
    empty: "None that matches the filter.",
    columns: [
      {title: "operation", of: t => t.op, cell: t => op_link(t.op)},
      {title: "route", kind: "word", of: t => t.route, cell: t => t.route}, ...columns
    ]
  });
}

function slow_list(place) {
  const list = summary.slowest.map(i => rows[i]).filter(r => r.place === place);
  const title = place === "device" ? "Slowest on the device" : "Slowest on the CPU";
  return list_part(
      title, "The best timing of each operation there, as a share of the ceiling that binds.", list,
      () => sortable({
        label: title,
        page: 10,
        items: filtered(list, keeps_row),
        empty: "None that matches the filter.",
        columns: [
          {title: "operation", of: r => r.op, cell: r => op_link(r.op)},
          {title: "best route", kind: "word", low: true, of: r => r.route, cell: r => r.route},
          {title: "time", num: true, of: r => r.median, cell: r => duration(r.median)},
          {title: "share", num: true, first: "up", of: r => r.efficiency, cell: r => percent(r.efficiency)}
        ]
      }));
}

function behind_list() {
  const list = summary.peers.filter(b => b.ratio < 1).map(b => ({...b, ...{ row: rows[b.row], peer: rows[b.peer] }}));
  return list_part(
      "Slower than another library", null, list,
      () => sortable({
        label: "Slower than a peer",
        page: 10,
        items: filtered(list, b => keeps_row(b.row)),
        empty: "None that matches the filter.",
        columns: [
          {title: "case", kind: "case", of: b => b.row.case, cell: b => case_text(b.row.case)}, {
            title: "peer",
            kind: "word",
            low: true,
            of: b => b.peer.route,
            cell: b => [b.peer.route.replace("peer.", ""), threads_of(b.peer)]
          },
          {title: "peer / route", num: true, first: "up", of: b => b.ratio, cell: b => ratio(b.ratio)}
        ]
      }));
}

function untimed_list() {
  const list = summary.untimed.map(i => rows[i]);
  return list_part("Not timed", null, list, () => sortable({
                                              label: "Not timed",
                                              page: 10,
                                              items: filtered(list, keeps_row),
                                              empty: "None that matches the filter.",
                                              columns: [
                                                {title: "operation", of: r => r.op, cell: r => op_link(r.op)},
                                                {title: "route", kind: "word", of: r => r.route, cell: r => r.route},
                                                {title: "why", of: r => r.null_reason, cell: r => r.null_reason}
                                              ]
                                            }));
}

function worst_parts() {
  const failures = report.check.failures, errors = summary.errors.map(i => rows[i]);
  const near = summary.closest.map(i => tallies[i]), doubted = summary.mistrusted.map(i => tallies[i]);
  const fails = f => keeps_text([f.op, f.case, f.route, f.message].join("\n"));
  return [
    list_part("Failures", null, failures, () => failure_table(filtered(failures, fails), 20), true),
    list_part(
        "Timings that went wrong", null, errors, () => timing_table(filtered(errors, keeps_row), {page: 10}), true),
    list_part(
        "Mistrusted", "Cases for some elements of which no finite bound follows: neither right nor wrong.", doubted,
        () => tally_list(
            "Mistrusted", doubted,
            [
              {title: "cases", num: true, of: t => t.mistrusted, cell: t => count(t.mistrusted)},
              {title: "passed", num: true, of: t => t.passed, cell: t => count(t.passed)}
            ],
            10)),
    slow_list("device"),
    slow_list("host"),
    behind_list(),
    list_part(
        "Nearest to its bound", null, near,
        () => tally_list(
            "Nearest to its bound", near,
            [{title: "error / allowed", num: true, of: t => t.worst, cell: t => ratio(t.worst)}], 10)),
    untimed_list(),
  ].filter(Boolean);
}
