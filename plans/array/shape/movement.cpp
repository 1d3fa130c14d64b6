// Copies, as pieces of runs.
#include "plans/array/shape/movement.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace plumb::movement {
namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

LoopAxis line(std::int64_t size, std::int64_t step, std::int64_t to = 0) { return {size, to, {{size, 0, step}}}; }

std::vector<LoopAxis> lines(const Shape& shape, const Strides& strides) {
  std::vector<LoopAxis> all;
  for (std::size_t d = 0; d < shape.size(); ++d) all.push_back(line(shape[d], strides[d]));
  return all;
}

// The axes make up a dense output, from `to` on.
Piece dense_output(std::vector<LoopAxis> axes, std::int64_t to = 0) {
  Piece p;
  p.to = to;
  std::int64_t step = 1;
  for (std::size_t d = axes.size(); d-- > 0; step *= std::max<std::int64_t>(axes[d].size, 1)) axes[d].to = step;
  p.axes = std::move(axes);
  return p;
}

Plan just(Piece p) {
  Plan plan;
  plan.pieces.push_back(std::move(p));
  return plan;
}

Plan in_order(const Call& c, const Spec&) { return just(dense_output(lines(c[0].shape(), c[0].strides()))); }

// The input is first brought into row-major order.
Plan as_strided(const Call& c, const Spec& out) {
  Piece p = dense_output(lines(out.shape, c.none("strides") ? row_major(out.shape) : c.list("strides")));
  p.from = c.integer("offset");
  p.dense = true;
  return just(std::move(p));
}

Plan repeat(const Call& c, const Spec&) {
  std::vector<LoopAxis> axes = lines(c[0].shape(), c[0].strides());
  const std::int64_t behind = c.none("axis") ? c[0].rank() : c.axis() + 1;
  axes.insert(axes.begin() + behind, line(c.integer("repeats"), 0));
  return just(dense_output(std::move(axes)));
}

Plan tile(const Call& c, const Spec& out) {
  const std::vector<std::int64_t> reps = c.list("reps");
  const std::size_t rank = out.shape.size(), lead = rank - c[0].shape().size(), few = rank - reps.size();
  std::vector<LoopAxis> axes;
  for (std::size_t d = 0; d < rank; ++d) {
    axes.push_back(line(d < few ? 1 : reps[d - few], 0));
    if (d >= lead) axes.push_back(line(c[0].shape()[d - lead], c[0].strides()[d - lead]));
  }
  return just(dense_output(std::move(axes)));
}

// The last `by` elements first.
LoopAxis rolled(std::int64_t n, std::int64_t step, std::int64_t by) {
  return {n, 0, {{by, (n - by) * step, step}, {n - by, 0, step}}};
}

std::int64_t modulo(std::int64_t k, std::int64_t n) { return n == 0 ? 0 : (k % n + n) % n; }

Plan roll(const Call& c, const Spec&) {
  const std::vector<std::int64_t> shift = c.list("shift");
  if (c.none("axis")) {
    const std::int64_t n = c[0].size();
    std::int64_t by = 0;
    for (const std::int64_t s : shift) by = modulo(by + modulo(s, n), n);
    const auto flat = reshaped(c[0].shape(), c[0].strides(), {n});
    Piece p = dense_output({rolled(n, flat ? flat->at(0) : 1, by)});
    p.dense = !flat;
    return just(std::move(p));
  }
  std::vector<std::int64_t> by(c[0].shape().size(), 0);
  const std::vector<std::int64_t> named = c.list("axis");
  for (std::size_t k = 0; k < named.size(); ++k) {
    const std::size_t d = at(named[k] < 0 ? named[k] + c[0].rank() : named[k]);
    const std::int64_t n = c[0].shape()[d];
    by[d] = modulo(by[d] + modulo(shift[shift.size() == 1 ? 0 : k], n), n);
  }
  std::vector<LoopAxis> axes;
  for (std::size_t d = 0; d < by.size(); ++d) axes.push_back(rolled(c[0].shape()[d], c[0].strides()[d], by[d]));
  return just(dense_output(std::move(axes)));
}

// The last n / 2 elements of each axis named first, or (back) those that the same puts last first; again for an axis
// that is named again.
template <bool back>
Plan shifted(const Call& c, const Spec&) {
  const auto rank = static_cast<std::int64_t>(c[0].shape().size());
  std::vector<std::int64_t> by(c[0].shape().size(), 0), named(by.size());
  std::iota(named.begin(), named.end(), 0);
  if (!c.none("axes")) named = c.list("axes");
  for (const std::int64_t a : named) {
    const std::size_t d = at(a < 0 ? a + rank : a);
    const std::int64_t n = c[0].shape()[d];
    by[d] = modulo(by[d] + (back ? n - n / 2 : n / 2), n);
  }
  std::vector<LoopAxis> axes;
  for (std::size_t d = 0; d < by.size(); ++d) axes.push_back(rolled(c[0].shape()[d], c[0].strides()[d], by[d]));
  return just(dense_output(std::move(axes)));
}

// Positions `from` to `to` of a line of n elements that is mirrored at both ends; where it turns, its end stands
// `ends` times.
void mirror(std::vector<Run>& runs, std::int64_t from, std::int64_t to, std::int64_t n, std::int64_t step,
            std::int64_t ends) {
  const std::int64_t period = 2 * n - (ends == 1 ? 2 : 0);
  for (std::int64_t p = from; p < to;) {
    const std::int64_t phase = period == 0 ? 0 : modulo(p, period), last = 2 * n - (ends == 1 ? 2 : 1);
    if (period == 0) runs.push_back({to - p, 0, 0});
    else if (phase < n) runs.push_back({std::min(n - phase, to - p), phase * step, step});
    else runs.push_back({std::min(period - phase, to - p), (last - phase) * step, -step});
    p += runs.back().size;
  }
}

LoopAxis padded(const std::string& mode, std::int64_t n, std::int64_t step, std::int64_t low, std::int64_t high) {
  std::vector<Run> runs;
  const std::int64_t ends = mode == "reflect" ? 1 : 2;
  const bool mirrored = n > 0 && (mode == "reflect" || mode == "symmetric");
  if (mirrored) mirror(runs, -low, 0, n, step, ends);
  else runs.push_back({low, mode == "edge" ? 0 : kConstant, 0});
  runs.push_back({n, 0, step});
  if (mirrored) mirror(runs, n, n + high, n, step, ends);
  else runs.push_back({high, mode == "edge" ? (n - 1) * step : kConstant, 0});
  return {low + n + high, 0, std::move(runs)};
}

// low and high of each axis
std::vector<std::int64_t> widths(const Call& c) {
  std::vector<std::int64_t> w;
  if (const auto* text = c.attrs.find("pad_width")->get<std::string>()) {
    for (const char* p = text->c_str(); *p != 0; ++p)
      if (std::isdigit(static_cast<unsigned char>(*p))) {
        char* end = nullptr;
        w.push_back(std::strtoll(p, &end, 10));
        p = end - 1;
      }
  } else {
    w = c.list("pad_width");
  }
  const std::size_t rank = c[0].shape().size();
  if (w.size() == 2 * rank) return w;
  std::vector<std::int64_t> all;
  for (std::size_t d = 0; d < rank; ++d) all.insert(all.end(), {w.front(), w.back()});
  return all;
}

Plan pad(const Call& c, const Spec& out) {
  const Shape& s = c[0].shape();
  const std::vector<std::int64_t> w = widths(c);
  std::vector<LoopAxis> axes;
  for (std::size_t d = 0; d < s.size(); ++d)
    axes.push_back(padded(c.text("mode"), s[d], c[0].strides()[d], w[2 * d], w[2 * d + 1]));
  Plan plan = just(dense_output(std::move(axes)));
  plan.constant = narrow(Reals({}, c.number("value")), out.dtype);
  return plan;
}

Plan triangle(const Call& c, const Spec& out) {
  Plan plan = in_order(c, out);
  const std::int64_t k = c.integer("k");
  const bool lower = c.op->name == "tril";
  plan.band = {out.shape.end()[-2], out.shape.end()[-1], lower ? INT64_MIN : k, lower ? k : INT64_MAX};
  return plan;
}

Plan diag(const Call& c, const Spec& out) {
  const std::int64_t k = c.integer("k"), n = out.shape[0];
  Piece p;
  p.axes = {line(c[0].dim(0), c[0].strides()[0], n + 1)};
  p.to = k < 0 ? -k * n : k;
  Plan plan = just(std::move(p));
  plan.zeroed = true;
  return plan;
}

// Each operand from where the one before ended.
Plan concatenate(const Call& c, const Spec& out) {
  Plan plan;
  const bool flat = c.none("axis");
  const std::int64_t axis = flat ? 0 : c.integer("axis");
  const std::size_t d = at(axis < 0 ? axis + c[0].rank() : axis);
  const Strides to = row_major(out.shape);
  std::int64_t before = 0;
  for (std::size_t k = 0; k < c.in.size(); ++k) {
    if (!c[k].defined()) continue;
    const bool dense = c[k].dtype() != out.dtype;
    Piece p = dense_output(lines(c[k].shape(), dense ? row_major(c[k].shape()) : c[k].strides()));
    p.input = k, p.dense = dense, p.to = before * to[d];
    if (!flat)
      for (std::size_t a = 0; a < to.size(); ++a) p.axes[a].to = to[a];
    before += flat ? c[k].size() : c[k].shape()[d];
    plan.pieces.push_back(std::move(p));
  }
  return plan;
}

Plan stack(const Call& c, const Spec& out) {
  Plan plan;
  const std::int64_t axis = c.integer("axis"), d = axis < 0 ? axis + c[0].rank() + 1 : axis;
  Strides to = row_major(out.shape);
  const std::int64_t step = to[at(d)];
  to.erase(to.begin() + d);
  for (std::size_t k = 0; k < c.in.size(); ++k) {
    if (!c[k].defined()) continue;
    const bool dense = c[k].dtype() != out.dtype;
    Piece p;
    p.input = k, p.dense = dense, p.to = static_cast<std::int64_t>(plan.pieces.size()) * step;
    p.axes = lines(c[k].shape(), dense ? row_major(c[k].shape()) : c[k].strides());
    for (std::size_t a = 0; a < to.size(); ++a) p.axes[a].to = to[a];
    plan.pieces.push_back(std::move(p));
  }
  return plan;
}

constexpr std::pair<std::string_view, Plan (*)(const Call&, const Spec&)> kPlans[] = {
    {"reshape", in_order},
    {"flatten", in_order},
    {"contiguous", in_order},
    {"view", in_order},
    {"as_strided", as_strided},
    {"repeat", repeat},
    {"tile", tile},
    {"roll", roll},
    {"fftshift", shifted<false>},
    {"ifftshift", shifted<true>},
    {"pad", pad},
    {"tril", triangle},
    {"triu", triangle},
    {"diag", diag},
    {"concatenate", concatenate},
    {"stack", stack},
};

bool linear(const LoopAxis& a) { return a.runs.size() == 1 && a.runs[0].first != kConstant; }

}  // namespace

Plan plan(const Call& c, const std::vector<Spec>& out) {
  if (const auto seen = views(c)) {
    const View& v = seen->front();
    Piece p = dense_output(lines(v.shape, v.strides));
    p.from = v.offset;
    return just(std::move(p));
  }
  for (const auto& [op, of] : kPlans)
    if (op == c.op->name) return of(c, out[0]);
  throw std::logic_error("no plan moves what " + std::string(c.op->name) + " moves");
}

Piece merged(Piece p) {
  std::vector<LoopAxis> axes;
  for (LoopAxis& a : p.axes) {
    if (a.size != 0) std::erase_if(a.runs, [](const Run& r) { return r.size == 0; });
    if (linear(a)) p.from += std::exchange(a.runs[0].first, 0);
    if (linear(a) && a.size == 1) continue;
    const bool joins = !axes.empty() && linear(a) && linear(axes.back()) && axes.back().to == a.to * a.size &&
                       axes.back().runs[0].step == a.runs[0].step * a.size;
    if (joins) axes.back() = {axes.back().size * a.size, a.to, {{axes.back().size * a.size, 0, a.runs[0].step}}};
    else axes.push_back(std::move(a));
  }
  p.axes = std::move(axes);
  return p;
}

Place find(const LoopAxis& a, std::int64_t i) {
  std::size_t r = 0;
  while (i >= a.runs[r].size) i -= a.runs[r++].size;
  return {r, i};
}

}  // namespace plumb::movement
