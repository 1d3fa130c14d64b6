// Arithmetic between sparse tensors on the CPU: rows meet through a hash table, features in vectors.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/matrix_rows.h"
#include "optimized/sparse/sites/site_table.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void combine_rows(int op, bool half, const void* lhs, const void* rhs, const void* lhs_fill,
                                     const void* rhs_fill, const std::int32_t* l, const std::int32_t* r,
                                     std::int64_t begin, std::int64_t end, std::int64_t channels, void* out))

namespace {

using namespace cpu;

enum : std::size_t { kLhs, kLhsActive, kLhsFeatures, kRhs, kRhsActive, kRhsFeatures };

constexpr std::int64_t kGrain = 4096;  // rows aligned by a thread at least

// Fills l and r, the rows of both sides for every row of the result, and gives their number.
std::int64_t align(const std::string& join, const Rows& lhs, const Rows& rhs, std::int32_t* l, std::int32_t* r) {
  if (join == "right") {
    SiteTable(lhs).find(rhs, l);
    std::iota(r, r + rhs.count, 0);
    return rhs.count;
  }
  if (join == "inner") {
    Room<std::int32_t> match(static_cast<std::size_t>(lhs.count));
    SiteTable(rhs).find(lhs, match.data());
    const auto row = [&](std::int64_t i) { return match[static_cast<std::size_t>(i)]; };
    return compact(
        lhs.count, 0, [&](std::int64_t i) { return row(i) >= 0; },
        [&](std::int64_t i, std::int64_t at) { l[at] = static_cast<std::int32_t>(i), r[at] = row(i); });
  }
  std::iota(l, l + lhs.count, 0);
  SiteTable(rhs).find(lhs, r);
  if (join == "left") return lhs.count;
  Room<std::int32_t> match(static_cast<std::size_t>(rhs.count));
  SiteTable(lhs).find(rhs, match.data());
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
  const Rows lhs = rows(lhs_coords, call[kLhsActive]), rhs = rows(rhs_coords, call[kRhsActive]);
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
Room<std::byte> fill_row(double fill, Dtype t, std::int64_t channels) {
  const auto bytes = static_cast<std::size_t>(info(t).bytes);
  Room<std::byte> row(static_cast<std::size_t>(channels) * bytes);
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
  const Room<std::byte> lhs_fill = fill_row(call.number("lhs_fill"), t, channels);
  const Room<std::byte> rhs_fill = fill_row(call.number("rhs_fill"), t, channels);
  const int op = op_code(call.text("op"));
  const auto *lhs = x.read<std::byte>(), *rhs = y.read<std::byte>();
  auto* to = out[1].write<std::byte>();
  parallel_for(a.rows, row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(combine_rows)
    (op, t == Dtype::f16, lhs, rhs, lhs_fill.data(), rhs_fill.data(), a.l, a.r, begin, end, channels, to);
  });
}

// Row o of `to` begins with row rows[o] of x, or with the fill where x has no such row.
void select_rows(const Tensor& x, const std::int32_t* rows, std::int64_t count, double fill, const Matrix& to) {
  Room<std::byte> row = fill_row(fill, x.dtype(), x.dim(1));
  const Matrix from = read_matrix(x), missing{row.data(), from.bytes};
  parallel_for(count, row_grain(x.dim(1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      const bool there = rows[o] >= 0 && rows[o] < x.dim(0);
      copy_row(there ? from : missing, there ? rows[o] : 0, to, o);
    }
  });
}

void cat(const Call& call, std::vector<Tensor>& out) {
  const Aligned a = write_alignment(call, out);
  const Tensor x = contiguous(call[kLhsFeatures]), y = contiguous(call[kRhsFeatures]);
  const Matrix to = write_matrix(out[1]);
  select_rows(x, a.l, a.rows, 0, to);
  select_rows(y, a.r, a.rows, 0, {to.data + read_matrix(x).bytes, to.bytes});
}

void gather(const Call& call, std::vector<Tensor>& out) {
  const Tensor x = contiguous(call[0]), picks = contiguous(call[1]);
  select_rows(x, picks.read<std::int32_t>(), picks.dim(0), call.number("fill"), write_matrix(out[0]));
}

void reindex(const Call& call, std::vector<Tensor>& out) {
  const Tensor coords = contiguous(call[0]), x = contiguous(call[2]), target_coords = contiguous(call[3]);
  const Rows in = rows(coords, call[1]), targets = rows(target_coords, call[4]);
  Room<std::int32_t> from(static_cast<std::size_t>(target_coords.dim(0)), -1);
  SiteTable(in).find(targets, from.data());
  select_rows(x, from.data(), std::ssize(from), call.number("fill"), write_matrix(out[0]));
}

template <void (*F)(const Call&, std::vector<Tensor>&)>
Route route(std::string_view op, std::string_view name) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .prepare = host<F>};
}

}  // namespace

std::vector<Route> sparse_algebra_cpu_routes() {
  return {route<binary>("sparse_binary", "cpu.hash"), route<cat>("sparse_cat_aligned", "cpu.hash"),
          route<gather>("gather_aligned_features", "cpu.rows"), route<reindex>("reindex_sparse", "cpu.hash")};
}

}  // namespace plumb
