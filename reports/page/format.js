// How values become text, and text becomes elements. Nothing here makes HTML of a string: what a device, a driver or a
// message says is only ever text.

// Characters that would not be seen, or would change how their neighbours are read, in visible form.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]/g;
function visible(text) {
  return String(text).replace(UNSEEN, c => {
    const code = c.charCodeAt(0);
    return code < 256 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16).padStart(4, "0");
  });
}

// An element: attributes by name, on* as listeners, children as text or elements; null and false are left out.
function h(tag, attributes, ...children) {
  const svg = h.svg.has(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on"))
      element.addEventListener(key.slice(2), value);
    else
      element.setAttribute(key, value === true ? "" : value);
  }
  append(element, children);
  return element;
}
h.svg = new Set(["svg", "g", "path", "line", "circle", "rect", "text", "title"]);

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : visible(child));
  }
  return element;
}

// To `digits` after the point, never across `one` nor onto it: what is below 1 never reads 1, nor what is above.
function away_from(one, value, digits) {
  const scale = 10 ** digits, near = Math.round(value * scale) / scale;
  const shown = value < one && near >= one ? Math.min(Math.floor(value * scale) / scale, one - 1 / scale) :
      value > one && near <= one           ? Math.max(Math.ceil(value * scale) / scale, one + 1 / scale) :
                                             near;
  return shown.toFixed(digits);
}

// Three digits.
function ratio(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  if (value < 0.001 || value >= 1e5) return value.toExponential(1);
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  const digits = value > 0.9995 ? 2 : Math.max(2, 2 - Math.floor(Math.log10(value)));
  return away_from(1, value, value < 1 ? Math.max(digits, 3) : digits);
}

function percent(share) {
  if (share === null || share === undefined) return "–";
  if (share === 0) return "0 %";
  if (share < 1e-5) return "< 0.001 %";
  const value = share * 100;
  return away_from(100, value, value >= 10 ? 1 : value >= 1 ? 2 : 3) + " %";
}

const PREFIXES = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
function quantity(value, unit) {
  if (!value) return "–";
  const [size, prefix] = PREFIXES.find(([s]) => value >= s) || [1, ""];
  return three(value / size) + " " + prefix + unit;
}

function duration(seconds) {
  if (!seconds) return "–";
  for (const [size, unit] of [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]])
    if (seconds >= size) return three(seconds / size) + " " + unit;
  return three(seconds / 1e-9) + " ns";
}

function three(value) {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function bytes(value) {
  if (!value) return "–";
  for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]])
    if (value >= size) return three(value / size).replace(/\.0+$/, "") + " " + unit;
  return value + " B";
}

function count(value) { return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f"); }

function plural(n, one, many = one + "s") { return count(n) + " " + (n === 1 ? one : many); }

const spaced_name = name => name.replaceAll("_", " ");

// An id that breaks where its parts meet, and within one only where that is wider than the room.
const in_parts = (text, ends) => visible(text).split(ends).map(part => h("span", {class: "part"}, part));
const case_text = id => in_parts(id, /(?<=[+,])|(?<=\/)(?!-$)|(?<=\.)(?=[a-z])/);
const name_text = name => in_parts(name, /(?<=_)/);

function share_bar(share) {
  if (share === null || share === undefined) return "–";
  const width = Math.max(0, Math.min(1, share)) * 100;
  return [h("span", {class: "share", "aria-hidden": "true"}, h("i", {style: `width:${width}%`})), percent(share)];
}
