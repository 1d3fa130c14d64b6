// Arithmetic between sparse tensors on the CPU: rows meet through a hash table, features in vectors.
#include <algorithm>
#include <cstring>

#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/site_table.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void combine_rows(int op, bool half, const void* lhs, const void* rhs, const void* lhs_fill,
                                     const void* rhs_fill, const std::int32_t* l, const std::int32_t* r,
                                     std::int64_t begin, std::int64_t end, std::int64_t channels, void* out))

namespace {

using namespace cpu;

enum : std::size_t { kLhs, kLhsActive, kLhsFeatures, kRhs, kRhsActive, kRhsFeatures };

constexpr std::int64_t kGrain = 4096;      // rows looked up by a thread at least
constexpr std::int64_t kValues = 1 << 15;  // features worth a thread

std::int64_t grain(std::int64_t channels) {
  return std::max<std::int64_t>(1, kValues / std::max<std::int64_t>(1, channels));
}

void look_up(const SiteTable& table, const Rows& rows, std::int32_t* to) {
  parallel_for(rows.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = table.find(coordinates(rows, i));
  });
}

void number_rows(std::int64_t n, std::int32_t* to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<std::int32_t>(i);
}

// Fills l and r, the rows of both sides for every row of the result, and gives their number.
std::int64_t align(const std::string& join, const Rows& lhs, const Rows& rhs, std::int32_t* l, std::int32_t* r) {
  if (join == "right") {
    look_up(SiteTable(lhs), rhs, l);
    number_rows(rhs.count, r);
    return rhs.count;
  }
  if (join == "inner") {
    std::vector<std::int32_t> match(static_cast<std::size_t>(lhs.count));
    look_up(SiteTable(rhs), lhs, match.data());
    const auto row = [&](std::int64_t i) { return match[static_cast<std::size_t>(i)]; };
    return compact(
        lhs.count, 0, [&](std::int64_t i) { return row(i) >= 0; },
        [&](std::int64_t i, std::int64_t at) { l[at] = static_cast<std::int32_t>(i), r[at] = row(i); });
  }
  number_rows(lhs.count, l);
  look_up(SiteTable(rhs), lhs, r);
  if (join == "left") return lhs.count;
  std::vector<std::int32_t> match(static_cast<std::size_t>(rhs.count));
  look_up(SiteTable(lhs), rhs, match.data());
  return compact(
      rhs.count, lhs.count, [&](std::int64_t j) { return match[static_cast<std::size_t>(j)] < 0; },
      [&](std::int64_t j, std::int64_t at) { l[at] = -1, r[at] = static_cast<std::int32_t>(j); });
}

struct Aligned {
  const std::int32_t *l, *r;
  std::int64_t rows;
};

// The coordinates, the count and the row columns of the result.
Aligned write_alignment(const Call& call, std::vector<Tensor>& out) {
  const Tensor lhs_coords = contiguous(call[kLhs]), rhs_coords = contiguous(call[kRhs]);
  const Rows lhs = rows(call, lhs_coords, call[kLhsActive]), rhs = rows(call, rhs_coords, call[kRhsActive]);
  auto *l = out[3].write<std::int32_t>(), *r = out[4].write<std::int32_t>();
  const std::int64_t n = align(call.text("join"), lhs, rhs, l, r);
  out[2].write<std::int32_t>()[0] = static_cast<std::int32_t>(n);
  const auto *a = lhs_coords.read<std::int32_t>(), *b = rhs_coords.read<std::int32_t>();
  auto* to = out[0].write<std::int32_t>();
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      const std::int32_t* from = l[o] >= 0 ? a + 4 * std::int64_t{l[o]} : b + 4 * std::int64_t{r[o]};
      std::copy_n(from, 4, to + 4 * o);
    }
  });
  return {l, r, n};
}

// One row of a fill, rounded to the dtype.
std::vector<std::byte> fill_row(double fill, Dtype t, std::int64_t channels) {
  const auto bytes = static_cast<std::size_t>(info(t).bytes);
  std::vector<std::byte> row(static_cast<std::size_t>(channels) * bytes);
  const std::uint16_t half = to_half(fill);
  const float whole = to_float(fill);
  for (std::size_t c = 0; c < row.size(); c += bytes)
    std::memcpy(row.data() + c, t == Dtype::f16 ? static_cast<const void*>(&half) : &whole, bytes);
  return row;
}

int op_code(const std::string& op) {  // as in sparse_algebra.simd.cpp
  const std::string_view names[] = {"add", "sub", "mul", "maximum", "minimum"};
  return static_cast<int>(std::find(std::begin(names), std::end(names), op) - std::begin(names));
}

void binary(const Call& call, std::vector<Tensor>& out) {
  const Aligned a = write_alignment(call, out);
  const Tensor x = contiguous(call[kLhsFeatures]), y = contiguous(call[kRhsFeatures]);
  const Dtype t = x.dtype();
  const std::int64_t channels = x.dim(1);
  const std::vector<std::byte> lhs_fill = fill_row(call.number("lhs_fill"), t, channels);
  const std::vector<std::byte> rhs_fill = fill_row(call.number("rhs_fill"), t, channels);
  const int op = op_code(call.text("op"));
  const auto *lhs = x.read<std::byte>(), *rhs = y.read<std::byte>();
  auto* to = out[1].write<std::byte>();
  parallel_for(a.rows, grain(channels), [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(combine_rows)
    (op, t == Dtype::f16, lhs, rhs, lhs_fill.data(), rhs_fill.data(), a.l, a.r, begin, end, channels, to);
  });
}

// Row o of `to`, `stride` bytes apart, is row rows[o] of `from`, or `missing` where that is none of its n rows.
void select_rows(const std::byte* from, std::int64_t n, const std::int32_t* rows, std::int64_t count,
                 const std::vector<std::byte>& missing, std::byte* to, std::int64_t stride) {
  const auto bytes = static_cast<std::int64_t>(missing.size());
  if (bytes == 0) return;
  parallel_for(count, grain(bytes / 4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      const bool there = rows[o] >= 0 && rows[o] < n;
      std::memcpy(to + o * stride, there ? from + rows[o] * bytes : missing.data(), static_cast<std::size_t>(bytes));
    }
  });
}

void cat(const Call& call, std::vector<Tensor>& out) {
  const Aligned a = write_alignment(call, out);
  const Tensor x = contiguous(call[kLhsFeatures]), y = contiguous(call[kRhsFeatures]);
  const std::vector<std::byte> no_lhs = fill_row(0, x.dtype(), x.dim(1)), no_rhs = fill_row(0, y.dtype(), y.dim(1));
  const auto first = static_cast<std::int64_t>(no_lhs.size()),
             stride = first + static_cast<std::int64_t>(no_rhs.size());
  auto* to = out[1].write<std::byte>();
  select_rows(x.read<std::byte>(), x.dim(0), a.l, a.rows, no_lhs, to, stride);
  select_rows(y.read<std::byte>(), y.dim(0), a.r, a.rows, no_rhs, to + first, stride);
}

void gather(const Call& call, std::vector<Tensor>& out) {
  const Tensor x = contiguous(call[0]), picks = contiguous(call[1]);
  const std::vector<std::byte> missing = fill_row(call.number("fill"), x.dtype(), x.dim(1));
  select_rows(x.read<std::byte>(), x.dim(0), picks.read<std::int32_t>(), picks.dim(0), missing,
              out[0].write<std::byte>(), static_cast<std::int64_t>(missing.size()));
}

void reindex(const Call& call, std::vector<Tensor>& out) {
  const Tensor coords = contiguous(call[0]), x = contiguous(call[2]), target_coords = contiguous(call[3]);
  const Rows in = rows(call, coords, call[1]), targets = rows(call, target_coords, call[4]);
  std::vector<std::int32_t> from(static_cast<std::size_t>(target_coords.dim(0)), -1);
  look_up(SiteTable(in), targets, from.data());
  const std::vector<std::byte> missing = fill_row(call.number("fill"), x.dtype(), x.dim(1));
  select_rows(x.read<std::byte>(), x.dim(0), from.data(), std::ssize(from), missing, out[0].write<std::byte>(),
              static_cast<std::int64_t>(missing.size()));
}

Route route(std::string_view op, std::string_view route_name, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = route_name;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> sparse_algebra_cpu_routes() {
  return {route("sparse_binary", "cpu.hash", host<binary>), route("sparse_cat_aligned", "cpu.hash", host<cat>),
          route("gather_aligned_features", "cpu.rows", host<gather>),
          route("reindex_sparse", "cpu.hash", host<reindex>)};
}

}  // namespace plumb
