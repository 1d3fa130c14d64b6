#include "gpu/array/index/moves.h"
#include "gpu/array/operand.h"

#include <algorithm>

#include "gpu/array/sort.h"

namespace plumb::gpu {
namespace {

constexpr std::int64_t kGroup = 256;                         // as in the kernels
constexpr std::size_t kAxes = 8;                             // that a kernel walks
constexpr std::int64_t kWorthLaunch = 1 << 16;               // elements
constexpr std::int64_t kMost = (std::int64_t{1} << 31) - 1;  // entries and rows that are numbered in 32 bits

// 8 sizes, 8 steps and 8 steps of index array k, innermost first.
BufferPtr geometry(const index::Plan& p, bool updates, std::size_t k) {
  std::vector<std::int64_t> all(3 * kAxes, 0);
  std::fill_n(all.begin(), kAxes, 1);
  for (std::size_t i = 0; i < p.axes.size(); ++i) {
    const index::Axis& x = p.axes[p.axes.size() - 1 - i];
    all[i] = x.size;
    all[kAxes + i] = updates ? x.update : x.step;
    all[2 * kAxes + i] = k < x.entries.size() && !updates ? x.entries[k] : 0;
  }
  return constants(all);
}

void add_stage(MoveSteps& s, const Call* c, const MovedRows& rows, bool updates, std::size_t k, std::int64_t offset,
               const BufferPtr& at) {
  const bool indexed = c && k < rows.plan.positions.size();
  Kernel kernel = index_kernel("places");
  kernel.arg(geometry(rows.plan, updates, k)).arg(offset).arg(std::int32_t{k == 0}).arg(rows.count);
  if (indexed) {
    const index::Positions& p = rows.plan.positions[k];
    kernel.arg(dense((*c)[p.input]))
        .arg(c->dtype(p.input))
        .arg(std::max<std::int64_t>(p.entry, 0))
        .arg(p.n)
        .arg(p.width);
    const bool has_sign = info(c->dtype(p.input)).kind == Kind::signed_integer;
    kernel.arg(std::int32_t{p.wraps && has_sign}).arg(p.step);
  } else {
    kernel.arg(at).arg(Dtype::i64).arg(std::int64_t{0}).arg(std::int64_t{-1}).arg(std::int64_t{0});
    kernel.arg(std::int32_t{0}).arg(std::int64_t{0});
  }
  s.run(kernel.arg(at), rows.count);
}

std::string value_of(const Tensor& t, std::int64_t at) {
  const Wide one = widen(contiguous(t).view({1}, {1}, at));
  return std::visit(
      []<class T>(const Array<T>& a) -> std::string {
        if constexpr (std::is_integral_v<T>) return std::to_string(a[0]);
        else return {};
      },
      one);
}

BufferPtr places_buffer(std::int64_t n) { return scratch(size(std::max<std::int64_t>(n, 1) * 8)); }

const char* lane_of(Dtype t) {
  if (is_complex(t)) return "VIA_COMPLEX";
  if (t == Dtype::f64) return "VIA_DOUBLE";
  return is_inexact(t) ? "VIA_FLOAT" : "VIA_WHOLE";
}

}  // namespace

void MoveSteps::run(const Kernel& k, std::int64_t items) {
  all_.push_back([k, items] { k.run({size(items)}, {size(kGroup)}); });
}

Job MoveSteps::job(std::vector<Tensor> out) {
  Job j = gpu::job(std::move(out), [all = all_] {
    for (const auto& f : all) f();
  });
  j.wait = [checks = checks_, done = j.wait] {
    done();
    for (const auto& f : checks) f();
  };
  return j;
}

Kernel index_kernel(const std::string& name) { return {"index", name}; }
Kernel index_kernel(const std::string& name, std::int64_t bytes) { return {"index", name + std::to_string(8 * bytes)}; }

MovedRows::MovedRows(index::Plan p) : plan(std::move(p)) {
  if (!plan.axes.empty() && plan.axes.back().free()) {
    row = std::move(plan.axes.back());
    plan.axes.pop_back();
  }
  count = row.size == 0 ? 0 : plan.size();
}

Stored stored(const Tensor& t) { return {input(t), index::strided(t), element_offset(t)}; }

Stored indexed(const Call& c) {
  if (!index::flattened(c)) return stored(c[0]);
  return {dense(c[0]), index::dense({c[0].size()}), 0};
}

Stored cast(MoveSteps& s, const Tensor& t, Dtype to) {
  if (t.dtype() == to) return stored(t);
  const BufferPtr out = scratch(size(std::max<std::int64_t>(1, t.size()) * info(to).bytes));
  Kernel k("convert", "astype");
  k.arg(dense(t)).arg(t.dtype()).arg(std::int64_t{0}).arg(out).arg(to);
  k.arg(geometry({}, 1)).arg(std::int32_t{1}).arg(t.size());
  s.run(k, t.size());
  return {out, index::dense(t.shape()), 0};
}

std::vector<index::Strided> dense_indices(const Request& r) {
  std::vector<index::Strided> all;
  for (const std::size_t i : index::index_inputs(r)) all.push_back(index::dense(r.shape(i)));
  return all;
}

void add_check(MoveSteps& s, const Call& c, const index::Plan& plan) {
  if (plan.positions.empty()) return;
  const std::size_t n = plan.positions.size();
  const BufferPtr bad = scratch(4 * n);
  s.then([bad] { fill_byte(bad, 0xFF); });
  for (std::size_t k = 0; k < n; ++k) {
    const index::Positions& p = plan.positions[k];
    const Tensor& t = c[p.input];
    const std::int64_t count = p.entry < 0 ? t.size() : 1;
    Kernel check = index_kernel("check");
    check.arg(dense(t)).arg(t.dtype()).arg(std::max<std::int64_t>(p.entry, 0)).arg(count).arg(p.n).arg(p.width);
    const bool has_sign = info(t.dtype()).kind == Kind::signed_integer;
    check.arg(std::int32_t{p.wraps && has_sign}).arg(bad).arg(static_cast<std::int32_t>(k));
    s.run(check, count);
  }
  s.check_when_done([c, bad, positions = plan.positions] {
    std::vector<std::uint32_t> found(positions.size());
    bad->download(reinterpret_cast<std::byte*>(found.data()));
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (found[k] == 0xFFFFFFFFU) continue;
      const index::Positions& p = positions[k];
      const std::int64_t at = std::max<std::int64_t>(p.entry, 0) + found[k];
      c.fail(Reason::domain, index::outside(c, p, value_of(c[p.input], at), at));
    }
  });
}

BufferPtr add_places(MoveSteps& s, const Call& c, const MovedRows& rows, std::int64_t offset) {
  BufferPtr at = places_buffer(rows.count);
  for (std::size_t k = 0; k < std::max<std::size_t>(1, rows.plan.positions.size()); ++k)
    add_stage(s, &c, rows, false, k, offset + rows.plan.offset, at);
  return at;
}

BufferPtr add_sources(MoveSteps& s, const MovedRows& rows, std::int64_t offset) {
  BufferPtr at = places_buffer(rows.count);
  add_stage(s, nullptr, rows, true, 0, offset, at);
  return at;
}

void add_read(MoveSteps& s, const Call& c, const index::Plan& plan, const Stored& a, Dtype t, const BufferPtr& out) {
  const MovedRows rows(plan);
  const std::int64_t total = rows.count * rows.row.size;
  if (total == 0) return;
  Kernel read = index_kernel("read_", info(t).bytes);
  read.arg(a.data).arg(add_places(s, c, rows, a.offset)).arg(rows.row.size).arg(rows.row.step).arg(total).arg(out);
  s.run(read, total);
}

void add_copy(MoveSteps& s, const Stored& a, const Shape& out, Dtype t, const BufferPtr& to) {
  index::Plan plan;
  const std::size_t lead = out.size() - a.lies.shape.size();
  for (std::size_t d = 0; d < out.size(); ++d)
    plan.axes.push_back({out[d], d < lead || a.lies.shape[d - lead] == 1 ? 0 : a.lies.strides[d - lead], 0, {}});
  add_read(s, {}, index::merged(std::move(plan)), a, t, to);
}

Job prepare_read(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  MoveSteps s;
  const Stored a = indexed(c);
  const index::Plan plan = index::reading(c, a.lies, dense_indices(c));
  add_check(s, c, plan);
  add_read(s, c, plan, a, specs[0].dtype, output(out[0]));
  return s.job(std::move(out));
}

Job prepare_update(const Call& c, const std::vector<Spec>& specs, Combine how) {
  std::vector<Tensor> out = outputs(specs);
  const Dtype t = specs[0].dtype;
  const BufferPtr result = output(out[0]);
  MoveSteps s;
  const Stored updates = cast(s, c[index::update_input(c)], t);
  const index::Plan plan = index::writing(c, updates.lies, dense_indices(c));
  add_check(s, c, plan);
  add_copy(s, stored(c[0]), specs[0].shape, t, result);
  const MovedRows rows(plan);
  const std::int64_t total = rows.count * rows.row.size;
  if (total == 0) return s.job(std::move(out));
  const bool meet = rows.plan.collides();
  const BufferPtr at = add_places(s, c, rows, 0), from = add_sources(s, rows, updates.offset);
  const BufferPtr order = meet ? scratch(size(4 * rows.count)) : at;
  if (meet) s.then(radix_argsort(at, rows.count, order));
  Kernel k = how == Combine::set ? index_kernel("write_", info(t).bytes) : Kernel("combine", "combine", {{lane_of(t)}});
  k.arg(updates.data).arg(from).arg(at).arg(order).arg(std::int32_t{meet}).arg(rows.row.size).arg(rows.row.step);
  k.arg(rows.row.update).arg(rows.count);
  if (how != Combine::set) k.arg(static_cast<std::int32_t>(how)).arg(t);
  s.run(k.arg(result), total);
  return s.job(std::move(out));
}

namespace {

index::Plan plan_of(const Call& c, bool writes) {
  if (writes) return index::writing(c, index::strided(c[index::update_input(c)]), dense_indices(c));
  return index::reading(c, index::flattened(c) ? index::dense({count(c.shape(0))}) : index::strided(c[0]),
                        dense_indices(c));
}

bool numbered(const Call& c, const index::Plan& plan) {
  for (const index::Positions& p : plan.positions)
    if (count(c.shape(p.input)) > kMost) return false;
  return !plan.collides() || MovedRows(plan).count <= kMost;
}

template <bool writes>
bool few_axes(const Call& c, const Device&) {
  return plan_of(c, writes).axes.size() <= kAxes && c.rank(0) <= static_cast<int>(kAxes);
}
template <bool writes>
bool in_32_bits(const Call& c, const Device&) {
  return numbered(c, plan_of(c, writes));
}

}  // namespace

std::vector<Condition> conditions(bool writes) {
  return {{Stage::shape_dtype, "more than 8 axes that cannot be merged", writes ? few_axes<true> : few_axes<false>},
          {Stage::shape_dtype, "2^31 or more rows or entries of an index array",
           writes ? in_32_bits<true> : in_32_bits<false>}};
}

// Numbers of f64 and products of complex ones are computed in double, and so are f64 made something else.
bool updates_fit(const Call& c, const Device& d) {
  const std::size_t input = index::update_input(c);
  const Dtype from = c.dtype(input), to = c.dtype(0);
  const bool combines = c.op->name.find('_') != std::string_view::npos;
  const bool wide = to == Dtype::f64 || to == Dtype::c64;
  return d.fp64 || (from == to ? !(wide && combines) : !wide && from != Dtype::f64);
}

std::vector<Condition> preferences() {
  return {kNotHost, {Stage::shape_dtype, "under 65536 elements: a launch costs more", [](const Call& c, const Device&) {
                       return count(output_specs(c)[0].shape) >= kWorthLaunch;
                     }}};
}

}  // namespace plumb::gpu
