#include "plans/array/index/plan.h"

#include <algorithm>

namespace plumb::index {
namespace {

bool named(const Request& r, std::string_view name) { return r.op->name == name; }
bool takes_lines(const Request& r) { return named(r, "take") || named(r, "take_scalar"); }
bool slices(const Request& r) { return r.op->name.starts_with("slice"); }
bool dynamic(const Request& r) { return named(r, "slice_dynamic") || named(r, "slice_update_dynamic"); }
bool along_axis(const Request& r) { return r.op->name.ends_with("_axis"); }

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Of an array that broadcasts to a shape of so many axes, its step along axis d of that shape.
std::int64_t aligned(const Strided& s, std::size_t d, std::size_t rank) {
  const std::size_t lead = rank - std::min(rank, s.shape.size());
  if (d < lead || s.shape[d - lead] == 1) return 0;
  return s.strides[d - lead];
}

std::vector<std::int64_t> entries_along(const std::vector<Strided>& indices, std::size_t d, std::size_t rank) {
  std::vector<std::int64_t> steps;
  steps.reserve(indices.size());
  for (const Strided& s : indices) steps.push_back(aligned(s, d, rank));
  return steps;
}

Shape broadcast_of(const Request& r, const std::vector<Strided>& arrays) {
  Shape s;
  for (const Strided& a : arrays) s = broadcast(r.op->name, s, a.shape);
  return s;
}

bool continues(const Axis& outer, const Axis& inner) {
  if (outer.shared != inner.shared || outer.step != inner.step * inner.size ||
      outer.update != inner.update * inner.size)
    return false;
  for (std::size_t k = 0; k < outer.entries.size(); ++k)
    if (outer.entries[k] != inner.entries[k] * inner.size) return false;
  return true;
}

// Each start of a dynamic slice, windows of these widths.
std::vector<Positions> starts(const Request& r, const Strided& a, const Strided& start, const Shape& widths) {
  std::vector<Positions> all;
  const auto axes = r.list("axes");
  for (std::size_t j = 0; j < axes.size(); ++j) {
    const std::size_t d = at(axes[j] < 0 ? axes[j] + std::ssize(a.shape) : axes[j]);
    const std::int64_t step = start.strides.empty() ? 0 : start.strides[0];
    all.push_back({r.index("start"), a.shape[d], widths[d], a.strides[d], false, static_cast<std::int64_t>(j), step});
  }
  return all;
}

// The axes of index arrays, then the windows: what gather and the scatters have in common.
void add_windows(Plan& p, const Request& r, const Strided& a, const std::vector<Strided>& indices, const Shape& widths,
                 const Strided& update) {
  const Shape each = broadcast_of(r, indices);
  const std::size_t rank = each.size() + a.shape.size();
  const auto axes = r.list("axes");
  const auto inputs = index_inputs(r);
  for (std::size_t k = 0; k < axes.size(); ++k)
    p.positions.push_back({inputs[k], a.shape[at(axes[k])], widths[at(axes[k])], a.strides[at(axes[k])]});
  for (std::size_t e = 0; e < each.size(); ++e)
    p.axes.push_back({each[e], 0, aligned(update, e, rank), entries_along(indices, e, each.size()), true});
  for (std::size_t d = 0; d < a.shape.size(); ++d) {
    const bool indexed = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    p.axes.push_back({widths[d], a.strides[d], aligned(update, each.size() + d, rank), {}, indexed && widths[d] > 1});
  }
}

void add_slice(Plan& p, const Request& r, const Strided& a, const Strided& update) {
  const Window w = window(r);
  for (std::size_t d = 0; d < a.shape.size(); ++d) {
    p.axes.push_back({w.length[d], a.strides[d] * w.step[d], aligned(update, d, a.shape.size()), {}});
    if (w.length[d] > 0) p.offset += w.start[d] * a.strides[d];
  }
}

Strided without_leading_units(Strided s, std::size_t rank) {
  const auto extra = std::max<std::ptrdiff_t>(0, std::ssize(s.shape) - static_cast<std::ptrdiff_t>(rank));
  s.shape.erase(s.shape.begin(), s.shape.begin() + extra);
  s.strides.erase(s.strides.begin(), s.strides.begin() + extra);
  return s;
}

// The shape of the window that a dynamic update writes: unlisted axes as in the array, listed ones of size 1, before
// the axes that the update has.
Shape padded_update(const Request& r, const Strided& a, const Shape& update) {
  Shape s = a.shape;
  for (const std::int64_t x : r.list("axes")) s[at(x < 0 ? x + std::ssize(s) : x)] = 1;
  std::copy(update.begin(), update.end(), s.end() - std::ssize(update));
  return s;
}

}  // namespace

Order once(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 || is_complex(c.dtype(0)) ? Dtype::f64 : Dtype::f32;
  const double complex = c.op->name.ends_with("divide") ? 3 : 1;  // sums of exact products, and their quotient
  o.function_ulps = is_complex(c.dtype(0)) ? complex : 0.5;
  return o;
}

Strided strided(const Tensor& t) { return {t.shape(), t.strides()}; }
Strided dense(const Shape& s) { return {s, row_major(s)}; }

bool Axis::free() const {
  return !shared && std::all_of(entries.begin(), entries.end(), [](std::int64_t s) { return s == 0; });
}

std::int64_t Plan::size() const {
  std::int64_t n = 1;
  for (const Axis& x : axes) n *= x.size;
  return n;
}

bool Plan::collides() const {
  return std::any_of(axes.begin(), axes.end(), [](const Axis& x) { return x.shared; });
}

Plan merged(Plan p) {
  std::vector<Axis> kept;
  for (Axis& x : p.axes) {
    x.entries.resize(p.positions.size());
    if (x.size == 1) continue;
    if (kept.empty() || !continues(kept.back(), x)) {
      kept.push_back(std::move(x));
    } else {
      x.size *= kept.back().size;
      kept.back() = std::move(x);
    }
  }
  p.axes = std::move(kept);
  return p;
}

std::vector<std::size_t> index_inputs(const Request& r) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < r.op->inputs.size(); ++i)
    if (r.has(i) && (input_name(r.op->inputs[i]).starts_with("indices") || input_name(r.op->inputs[i]) == "start"))
      all.push_back(i);
  return all;
}

bool flattened(const Request& r) { return (along_axis(r) || takes_lines(r)) && r.none("axis"); }

Shape indexed_shape(const Request& r) { return flattened(r) ? Shape{count(r.shape(0))} : r.shape(0); }

Shape written_shape(const Request& r) {
  const Shape out = output_specs(r)[0].shape;
  return flattened(r) ? Shape{count(out)} : out;
}

std::size_t update_input(const Request& r) {
  for (std::size_t i = 0; i < r.op->inputs.size(); ++i)
    if (const auto name = input_name(r.op->inputs[i]); name.starts_with("update") || name == "values") return i;
  return 0;
}

Plan reading(const Request& r, const Strided& a, const std::vector<Strided>& indices) {
  Plan p;
  const std::size_t rank = a.shape.size();
  if (named(r, "slice")) {
    add_slice(p, r, a, {});
  } else if (dynamic(r)) {
    const Shape widths = r.list("slice_size");
    p.positions = starts(r, a, indices[0], widths);
    for (std::size_t d = 0; d < rank; ++d) p.axes.push_back({widths[d], a.strides[d], 0, {}});
  } else if (named(r, "gather")) {
    add_windows(p, r, a, indices, r.list("slice_sizes"), {});
  } else {
    const std::size_t axis = flattened(r) ? 0 : at(r.axis());
    if (named(r, "take_scalar"))
      p.offset = (r.integer("index") + (r.integer("index") < 0 ? a.shape[axis] : 0)) * a.strides[axis];
    else p.positions.push_back({r.index("indices"), a.shape[axis], 1, a.strides[axis]});
    for (std::size_t d = 0; d < rank; ++d) {
      if (takes_lines(r) && d == axis && !indices.empty()) {
        const Strided& s = indices[0];
        for (std::size_t e = 0; e < s.shape.size(); ++e) p.axes.push_back({s.shape[e], 0, 0, {s.strides[e]}});
      } else if (takes_lines(r) && d != axis) {
        p.axes.push_back({a.shape[d], a.strides[d], 0, {}});
      } else if (!takes_lines(r)) {
        const Strided& s = indices[0];
        const std::int64_t n = d == axis ? s.shape[d] : a.shape[d] == 1 ? s.shape[d] : a.shape[d];
        p.axes.push_back({n, d == axis ? 0 : aligned(a, d, rank), 0, {aligned(s, d, rank)}});
      }
    }
  }
  return merged(std::move(p));
}

Plan writing(const Request& r, const Strided& given, const std::vector<Strided>& indices) {
  Plan p;
  const Strided out = dense(written_shape(r));
  const std::size_t rank = out.shape.size();
  const Strided update = along_axis(r) ? without_leading_units(given, rank) : given;
  if (dynamic(r)) {
    const Shape widths = padded_update(r, out, update.shape);
    p.positions = starts(r, out, indices[0], widths);
    for (std::size_t d = 0; d < rank; ++d) p.axes.push_back({widths[d], out.strides[d], aligned(update, d, rank), {}});
  } else if (slices(r)) {
    add_slice(p, r, out, update);
  } else if (along_axis(r)) {
    const std::size_t axis = flattened(r) ? 0 : at(r.axis());
    p.positions.push_back({r.index("indices"), out.shape[axis], 1, out.strides[axis]});
    const Shape each = broadcast(r.op->name, indices[0].shape, update.shape);
    for (std::size_t d = 0; d < rank; ++d)
      p.axes.push_back({d == axis ? each[d] : out.shape[d],
                        d == axis ? 0 : out.strides[d],
                        aligned(update, d, rank),
                        {aligned(indices[0], d, rank)},
                        d == axis});
  } else {
    const Shape each = broadcast_of(r, indices);
    add_windows(p, r, out, indices, Shape(update.shape.begin() + std::ssize(each), update.shape.end()), update);
  }
  return merged(std::move(p));
}

Window window(const Request& r) {
  Window w;
  const Shape &start = r.list("start"), &stop = r.list("stop"), &n = r.shape(0);
  for (std::size_t d = 0; d < n.size(); ++d) {
    const std::int64_t step = r.none("strides") ? 1 : r.list("strides")[d];
    std::int64_t s = start[d] + (start[d] < 0 ? n[d] : 0), e = stop[d] + (stop[d] < 0 ? n[d] : 0), length = 0;
    if (step > 0) {
      s = std::clamp<std::int64_t>(s, 0, n[d]);
      e = std::clamp(e, s, n[d]);
      length = (e - s) / step + ((e - s) % step != 0 ? 1 : 0);
    } else {
      s = std::min(s, n[d] - 1);
      e = std::min(std::max<std::int64_t>(e, -1), s);
      length = (e - s) / step + ((e - s) % step != 0 ? 1 : 0);
    }
    w.start.push_back(s), w.step.push_back(length > 1 ? step : 1), w.length.push_back(length);
  }
  return w;
}

std::string outside(const Request& r, const Positions& p, const std::string& value, std::int64_t where) {
  return std::string(input_name(r.op->inputs[p.input])) + " holds " + value + " at " + std::to_string(where) +
         ": outside an axis of " + std::to_string(p.n) +
         (p.width == 1 ? "" : " for windows of " + std::to_string(p.width));
}

}  // namespace plumb::index
