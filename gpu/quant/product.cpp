// See kernels/quant/quant_product.cl.
#include "gpu/quant/product.h"

#include <algorithm>
#include <functional>
#include <string>

#include "core/limits.h"
#include "gpu/array/operand.h"

namespace plumb::gpu {
namespace {

Shape leading(const Shape& s, std::size_t own) { return {s.begin(), s.end() - static_cast<std::ptrdiff_t>(own)}; }

// Of the operand's matrix under flat index i of the broadcast batch.
std::int64_t place(const Shape& batch, std::int64_t i, const Shape& own) {
  const Strides steps = row_major(own);
  std::int64_t at = 0;
  for (std::size_t d = batch.size(); d-- > 0; i /= batch[d]) {
    const std::size_t missing = batch.size() - own.size();
    if (d >= missing && own[d - missing] > 1) at += i % batch[d] * steps[d - missing];
  }
  return at;
}

// Entries of an index array in row-major order; those of u64 beyond signed numbers are negative here.
std::vector<std::int64_t> entries(const Tensor& t) {
  const Integers all = as_integers(widen(t));
  return {all.data.begin(), all.data.end()};
}

std::vector<std::int32_t> chosen(const Call& c, std::string_view indices, const Shape& batch, const Shape& own) {
  const bool given = c.op->name == "gather_qmm" && c.has(indices);
  const std::vector<std::int64_t> list = given ? entries(c[indices]) : std::vector<std::int64_t>();
  const std::int64_t there = count(own);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] >= 0 && list[i] < there) continue;
    const bool has_sign = info(c[indices].dtype()).kind == Kind::signed_integer;
    const std::string value = has_sign ? std::to_string(list[i]) : std::to_string(static_cast<std::uint64_t>(list[i]));
    c.fail(Reason::domain, std::string(indices) + " holds " + value + " at " + std::to_string(i) + ": there are " +
                               std::to_string(there) + " matrices");
  }
  std::vector<std::int32_t> all(static_cast<std::size_t>(count(batch)));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::int64_t at = place(batch, static_cast<std::int64_t>(i), given ? c[indices].shape() : own);
    all[i] = static_cast<std::int32_t>(given ? list[static_cast<std::size_t>(at)] : at);
  }
  return all;
}

// A batch of products x (m, k) times an (n, k) or a (k, n) weight. With one weight for all matrices of x in their
// order, these are one.
struct Product {
  std::int32_t m, n, k;
  std::vector<std::int32_t> x_of, w_of;  // which matrix of each operand, per matrix of the result

  Product(const Call& c, const Spec& out) {
    const Shape &x = c.shape(0), &w = c.shape(1), &y = out.shape;
    const std::size_t own = x.size() == 1 ? 1 : 2;
    m = own == 1 ? 1 : static_cast<std::int32_t>(x[x.size() - 2]);
    n = static_cast<std::int32_t>(y.back());
    k = static_cast<std::int32_t>(x.back());
    const Shape batch = leading(y, own), w_batch = leading(w, 2);
    x_of = chosen(c, "lhs_indices", batch, leading(x, own));
    w_of = chosen(c, "rhs_indices", batch, w_batch);
    bool in_order = count(w_batch) == 1;
    for (std::size_t i = 0; i < x_of.size(); ++i) in_order &= x_of[i] == static_cast<std::int32_t>(i);
    if (!in_order) return;
    m *= static_cast<std::int32_t>(x_of.size());
    x_of = w_of = {0};
  }
  std::int64_t matrices() const { return static_cast<std::int64_t>(x_of.size()); }
};

// An operand in the dtype that the kernel reads; conversions are work of the launch.
struct Operands {
  std::vector<std::function<void()>> conversions;

  BufferPtr as(const Tensor& t, Dtype to) {
    if (t.dtype() == to) return dense(t);
    const std::int64_t n = t.size();
    const BufferPtr out = scratch(static_cast<std::size_t>(std::max<std::int64_t>(1, n) * info(to).bytes));
    Kernel k("convert", "astype");
    k.arg(dense(t)).arg(t.dtype()).arg(std::int64_t{0}).arg(out).arg(to).arg(geometry({}, 1)).arg(std::int32_t{1});
    k.arg(n);
    conversions.push_back([k, n] { k.run({static_cast<std::size_t>(n)}, {256}); });
    return out;
  }
};

constexpr std::size_t kNarrowRows = 4, kTileColumns = 128;  // as in kernels/quant/quant_product.cl
constexpr Limit kMatrices{"gpu.quant.matrices", 32768, 3};  // of one launch: an axis may end at 65535 groups

std::size_t blocks(std::int64_t n, std::size_t size) { return (static_cast<std::size_t>(n) + size - 1) / size; }

// How a kernel is launched for so many matrices.
using Launch = std::function<void(const Kernel&, const Product&, std::size_t matrices)>;

Job multiply(const Call& c, const std::vector<Spec>& specs, std::string_view name, const Option& size,
             const Launch& launch, const std::vector<std::int32_t>& more = {}) {
  const std::vector<Tensor> out = outputs(specs);
  const Product p(c, specs[0]);
  const QuantFormat f = quant_format(c);
  const Dtype t = out[0].dtype();
  const bool affine = c.text("mode") == "affine";
  Operands operands;
  const BufferPtr x = operands.as(c[0], t), codes = dense(c[1]), s = affine ? operands.as(c[2], t) : dense(c[2]),
                  b = affine ? operands.as(c[3], t) : s;
  const BufferPtr y = output(out[0]), x_of = constants(p.x_of), w_of = constants(p.w_of);
  std::vector<std::function<void()>> steps = operands.conversions;
  const std::int64_t most = kMatrices.of(p.matrices());
  for (std::int64_t first = 0; first < p.matrices(); first += most) {
    Kernel kernel("quant_product", name, {size, {"X", t}});
    kernel.arg(x).arg(codes).arg(s).arg(b).arg(y).arg(x_of).arg(w_of).arg(p.m).arg(p.n).arg(p.k);
    kernel.arg(f.group).arg(f.mode).arg(static_cast<std::int32_t>(first));
    for (const std::int32_t v : more) kernel.arg(v);
    const auto matrices = static_cast<std::size_t>(std::min(most, p.matrices() - first));
    steps.emplace_back([kernel, p, matrices, launch] { launch(kernel, p, matrices); });
  }
  return job(out, [steps] {
    for (const auto& step : steps) step();
  });
}

Job multiply_rows(const Call& c, const std::vector<Spec>& specs) {
  return multiply(c, specs, "dot_rows", {"BITS", quant_format(c).bits},
                  [](const Kernel& kernel, const Product& p, std::size_t matrices) {
                    kernel.run({32, static_cast<std::size_t>(p.n), blocks(p.m, kNarrowRows) * matrices}, {32, 4, 1});
                  });
}

Job multiply_columns(const Call& c, const std::vector<Spec>& specs) {
  return multiply(
      c, specs, "dot_columns", {"BITS", quant_format(c).bits},
      [](const Kernel& kernel, const Product& p, std::size_t matrices) {
        kernel.run({static_cast<std::size_t>(p.n) / 8, 32, blocks(p.m, kNarrowRows) * matrices}, {4, 32, 1});
      });
}

template <std::size_t tile>
Job multiply_tiles(const Call& c, const std::vector<Spec>& specs) {
  const Launch launch = [](const Kernel& kernel, const Product& p, std::size_t matrices) {
    kernel.run({blocks(p.n, kTileColumns) * 16, blocks(p.m, tile) * 16, matrices}, {16, 16, 1});
  };
  return multiply(c, specs, "multiply", {"TILE", tile}, launch,
                  {quant_format(c).bits, std::int32_t{c.flag("transpose")}});
}

// ---------------------------------------------------------------------------- orders and conditions

// Affine weights are rounded once when they are decoded, by an fma; the others are exact.
int rounded_weights(const Call& c) { return c.text("mode") == "affine" ? 1 : 0; }

Order narrow_order(const Call& c, int lane_terms) {
  Order o;
  o.shape = Order::Shape::lanes, o.lanes = 32, o.fma = true;
  o.prologue = rounded_weights(c) + lane_terms;
  return o;
}
// A lane takes whole units of eight terms: up to seven more than its share.
Order row_order(const Call& c) { return narrow_order(c, 7); }
Order column_order(const Call& c) { return narrow_order(c, 0); }
Order tile_order(const Call& c) {
  Order o;
  o.fma = true, o.prologue = rounded_weights(c);
  return o;
}

// About how many rows of x share a weight, as far as shapes say; and of all matrices.
std::int64_t all_rows(const Call& c) {
  const Shape out = output_specs(c)[0].shape;
  return count(out) / std::max<std::int64_t>(1, out.back());
}
std::int64_t rows_of(const Call& c) { return all_rows(c) / std::max<std::int64_t>(1, count(leading(c.shape(1), 2))); }
std::int64_t weights(const Call& c) { return 32 * c[1].size() / quant_format(c).bits; }

const Condition kSmallScales{Stage::shape_dtype, "scales or biases are not f32, f16 or bf16, or bytes of their mode",
                             [](const Call& c, const Device&) {
                               const auto small = [](Dtype t) {
                                 return t == Dtype::f32 || t == Dtype::f16 || t == Dtype::bf16;
                               };
                               return c.text("mode") != "affine" || (small(c.dtype(2)) && small(c.dtype(3)));
                             }};
const Condition kTransposed{Stage::relation, "the weight is not transposed",
                            [](const Call& c, const Device&) { return c.flag("transpose"); }};
const Condition kUpright{Stage::relation, "the weight is transposed",
                         [](const Call& c, const Device&) { return !c.flag("transpose"); }};
const Condition kIndexable{
    Stage::shape_dtype, "an axis or the number of rows exceeds 32 bits",  // with the rest of its last tile
    [](const Call& c, const Device&) { return all_rows(c) <= INT32_MAX - 512 && weights(c) / 8 < INT32_MAX; }};
const Condition kManyProducts{
    Stage::shape_dtype, "under 262144 multiply-adds", [](const Call& c, const Device&) {
      return static_cast<double>(count(output_specs(c)[0].shape)) * static_cast<double>(c.shape(0).back()) >= 262144;
    }};
const Condition kFewRows{Stage::shape_dtype, "more than 48 rows share a weight",
                         [](const Call& c, const Device&) { return rows_of(c) <= 48; }};
const Condition kLowRows{Stage::shape_dtype, "more than 256 rows share a weight",
                         [](const Call& c, const Device&) { return rows_of(c) <= 256; }};

}  // namespace

QuantFormat quant_format(const Request& r) {
  const std::string& mode = r.text("mode");
  if (mode == "mxfp4") return {1, 4, 32};
  if (mode == "mxfp8") return {2, 8, 32};
  if (mode == "nvfp4") return {3, 4, 16};
  return {0, r.none("bits") ? 4 : static_cast<std::int32_t>(r.integer("bits")),
          r.none("group_size") ? 64 : static_cast<std::int32_t>(r.integer("group_size"))};
}

std::vector<Route> quantized_products(std::string_view op) {
  const std::vector<Condition> product{kSmallScales, kIndexable}, transposed{kTransposed, kSmallScales, kIndexable},
      upright{kUpright, kSmallScales, kIndexable};
  const std::vector<Condition> narrow{kNotHost, kFewRows, kManyProducts}, low{kNotHost, kLowRows, kManyProducts},
      many{kNotHost, kManyProducts};
  constexpr auto gpu = Tier::gpu;
  return {
      {op, "gpu.rows", gpu, gpu, transposed, narrow, row_order, multiply_rows},
      {op, "gpu.columns", gpu, gpu, upright, narrow, column_order, multiply_columns},
      {op, "gpu.low_tiles", gpu, gpu, product, low, tile_order, multiply_tiles<32>},
      {op, "gpu.tiles", gpu, gpu, product, many, tile_order, multiply_tiles<128>},
  };
}

}  // namespace plumb::gpu
