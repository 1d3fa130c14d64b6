// A table that sorts by any column and makes rows as they are asked for: what is not looked at costs nothing.
//
// A column: {title, of: item -> value to sort by, cell: item -> contents, num, kind, low, mid, first}. `first` is the
// direction of the first click; `low` and `mid` columns are left out of narrow pages.

function header_cell(column, state, change) {
  const sorted = state.column === column;
  const words = {
    class: column_class(column),
    scope: "col",
    title: column.help || null,
    "aria-sort": sorted ? (state.down ? "descending" : "ascending") : null
  };
  if (!column.of) return h("th", words, column.title);
  return h("th", words, h("button", {type: "button", onclick: () => change(column)}, column.title));
}

function column_class(column) {
  return [column.num && "num", column.kind, column.low && "low", column.mid && "mid"].filter(Boolean).join(" ") || null;
}

// What has no value comes last in either direction.
function sorted_by(items, column, down) {
  const missing = v => v === null || v === undefined || Number.isNaN(v);
  const keyed = items.map((item, at) => ({item, at, key: column.of(item)}));
  keyed.sort((a, b) => {
    if (missing(a.key) || missing(b.key)) return missing(a.key) - missing(b.key) || a.at - b.at;
    const order = typeof a.key === "string" ? a.key.localeCompare(b.key, "en", {numeric: true}) : a.key - b.key;
    return (down ? -order : order) || a.at - b.at;
  });
  return keyed.map(k => k.item);
}

const row_of = (columns, item, kind) =>
    h("tr", {class: kind || null}, columns.map(c => h("td", {class: column_class(c)}, c.cell(item))));

function sort_control(state, redraw) {
  return column => {
    const again = state.column === column;
    state.down = again ? !state.down : column.first ? column.first === "down" : !!column.num;
    state.column = column;
    redraw();
  };
}

// Options: columns, items: () -> list, page: rows at first, sort: a column's title, down, empty: words, label.
function sortable(options) {
  const {columns, page = 25} = options;
  const state = {column: columns.find(c => c.title === options.sort) || null, down: !!options.down, shown: page};
  const head = h("thead"), body = h("tbody"), more = h("div", {class: "more"});
  const table = h("div", {class: "scroll"}, h("table", {"aria-label": options.label || null}, head, body));
  const element = h("div", {class: "sortable"}, table, more);
  function draw() {
    let items = options.items();
    if (state.column) items = sorted_by(items, state.column, state.down);
    head.replaceChildren(h("tr", null, columns.map(c => header_cell(c, state, sort))));
    body.replaceChildren(...items.slice(0, state.shown).map(item => row_of(columns, item)));
    if (!items.length)
      body.append(h("tr", null, h("td", {class: "soft", colspan: columns.length}, options.empty || "None.")));
    more.replaceChildren(...more_buttons(items.length, state, page, draw));
  }
  const sort = sort_control(state, draw);
  element.redraw = () => {
    state.shown = page;
    draw();
  };
  draw();
  return element;
}

function more_buttons(length, state, page, draw) {
  if (length <= state.shown) return [];
  const show = n => () => {
    state.shown = n;
    draw();
  };
  return [
    h("button", {type: "button", onclick: show(state.shown + 4 * page)}, "Show more"),
    length > state.shown + 4 * page && h("button", {type: "button", onclick: show(Infinity)}, "Show all"),
    h("span", null, count(state.shown) + " of " + count(length))
  ].filter(Boolean);
}

// A row that opens to what `inside` makes, once.
function folding(button, make_inside, columns, opened) {
  let inner = null;
  const outer = button.closest("tr");
  function set(open) {
    button.setAttribute("aria-expanded", String(open));
    if (open && !inner) inner = h("tr", {class: "inner"}, h("td", {colspan: columns}, make_inside()));
    if (open)
      outer.after(inner);
    else
      inner?.remove();
    opened(open);
  }
  button.addEventListener("click", () => set(button.getAttribute("aria-expanded") !== "true"));
  return set;
}
