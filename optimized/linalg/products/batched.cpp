// CPU routes of gather_mm, segmented_mm and block_masked_mm: the packed gemm over places that indices name, and over
// operands whose blocks have been masked.
#include "plans/linalg/products/batched.h"

#include <algorithm>
#include <complex>
#include <cstring>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/array/operand.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/products/scale.h"

namespace plumb {
namespace {

using namespace products;

constexpr Limit kShared{"products.shared", 1 << 23, 512};  // flops of a product that threads share

// Products of one shape over places of their own. Neighbours that share b, and whose rows of a follow each other, are
// one taller product: rows of tokens sorted by expert.
class Products {
 public:
  Products(const MatrixOperand& a, const MatrixOperand& b, const Pairs& pairs, const Tensor& out)
      : a_(a), b_(b), pairs_(pairs), out_(out), step_(a.rows == 1 ? 0 : a.rows * a.row) {
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(pairs.a.size());) {
      const std::int64_t first = i;
      std::int64_t step = step_;
      for (++i; joins(first, i, step);) ++i;
      runs_.push_back({first, i - first, a.rows == 1 && i - first > 1 ? step : a.row});
    }
  }

  void run() {
    if (out_.size() == 0) return;
    std::byte* c = out_.write<std::byte>();
    const double flops = 2.0 * static_cast<double>(out_.size()) * static_cast<double>(a_.columns);
    const auto each = static_cast<std::int64_t>(flops / static_cast<double>(runs_.size()));
    const auto some = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) multiply(runs_[static_cast<std::size_t>(r)], c);
    };
    const auto n = static_cast<std::int64_t>(runs_.size());
    if (each >= kShared.of(each)) return some(0, n);
    parallel_for(n, std::max<std::int64_t>(1, (1 << 18) / std::max<std::int64_t>(1, each)), some);
  }

 private:
  struct Run {
    std::int64_t first, count, row;
  };

  bool joins(std::int64_t first, std::int64_t i, std::int64_t& step) const {
    const auto at = static_cast<std::size_t>(i), before = static_cast<std::size_t>(first);
    if (at >= pairs_.a.size() || !pairs_.k.empty() || pairs_.b[at] != pairs_.b[before]) return false;
    const std::int64_t moved = pairs_.a[at] - pairs_.a[at - 1];
    if (a_.rows == 1 && i == first + 1) step = moved;
    return moved == step;
  }

  template <class T>
  void gemm_into(const Run& r, T* c) const {
    const auto i = static_cast<std::size_t>(r.first);
    const auto operand = [](const MatrixOperand& o, std::int64_t place, std::int64_t row) {
      const Dtype t = o.data.dtype();
      return GemmOperand{o.data.read<std::byte>() + place * info(t).bytes, t, row, o.column};
    };
    gemm(r.count * a_.rows, b_.columns, pairs_.k.empty() ? a_.columns : pairs_.k[i], operand(a_, pairs_.a[i], r.row),
         operand(b_, pairs_.b[i], b_.row), c, b_.columns);
  }

  void multiply(const Run& r, std::byte* c) const {
    const std::int64_t n = r.count * a_.rows * b_.columns;
    c += r.first * a_.rows * b_.columns * info(out_.dtype()).bytes;
    if (out_.dtype() == Dtype::f64) return gemm_into(r, reinterpret_cast<double*>(c));
    if (out_.dtype() == Dtype::f32) return gemm_into(r, reinterpret_cast<float*>(c));
    const RawRoom<float> sums(n);
    gemm_into(r, sums.get());
    converter(Dtype::f32, out_.dtype())(sums.get(), 1, c, n);
  }

  const MatrixOperand &a_, &b_;
  const Pairs& pairs_;
  const Tensor& out_;
  std::int64_t step_;
  std::vector<Run> runs_;
};

// What the gemm reads by itself: f64, or any mixture of f32, f16 and bf16.
Tensor readable(const Tensor& t, Dtype out) {
  const bool small = t.dtype() == Dtype::f16 || t.dtype() == Dtype::bf16;
  return out == Dtype::f32 && small ? t : as_dtype(t, out);
}

template <auto pairs>
void by_place(const Call& c, std::vector<Tensor>& out) {
  const MatrixOperand a(readable(c[0], out[0].dtype()), true), b(readable(c[1], out[0].dtype()), false);
  const Pairs all = pairs(c, a, b);
  Products(a, b, all, out[0]).run();
}

Job gather(const Call& c, const std::vector<Spec>& specs) {
  if (c.has("lhs_indices") || c.has("rhs_indices")) return host<by_place<gathered>>(c, specs);
  Pipeline p(Side::cpu);
  const Tensor out = p.run("matmul", {c[0], c[1]});
  return p.job(out, specs[0]);
}

Order place_order(const Call& c) {
  if (c.op->name == "gather_mm" && !c.has("lhs_indices") && !c.has("rhs_indices")) {
    Pipeline p(Side::cpu, true);
    (void)p.run("matmul", {c[0], c[1]});
    return order_of_product(p);
  }
  return gemm_order(accumulator_of(output_specs(c)[0].dtype));
}

// ---- Masks ----

// Rows of T, block by block with their elements of a mask.
template <class T, class Scale>
class Masked {
 public:
  Masked(const MatrixOperand& x, const Tensor& mask, std::int64_t block, const Tensor& out, Scale scale)
      : x_(x), mask_(mask), block_(block), out_(out), scale_(scale), batch_(batch_of(out.shape())) {
    const Dtype wide = sizeof(T) == 8 ? Dtype::f64 : Dtype::f32;
    load_ = converter(x.data.dtype(), wide);
    store_ = out.dtype() == wide ? nullptr : converter(wide, out.dtype());
    weight_ = mask.dtype() == Dtype::boolean ? nullptr : converter(mask.dtype(), wide);
    from_ = x.data.read<std::byte>(), masks_ = mask.read<std::byte>(), to_ = out.write<std::byte>();
    x_steps_ = steps(x_.batch, x_.step);
    const Shape own = batch_of(mask.shape());
    mask_steps_ =
        steps(own, Strides(mask.strides().begin(), mask.strides().begin() + static_cast<std::ptrdiff_t>(own.size())));
  }

  void run() {
    const std::int64_t n = x_.columns;
    parallel_for(count(batch_) * x_.rows, std::max<std::int64_t>(1, (1 << 15) / n),
                 [&](std::int64_t r, std::int64_t end) {
                   RawRoom<T> held(n);
                   for (; r < end; ++r) {
                     std::byte* to = to_ + r * n * info(out_.dtype()).bytes;
                     T* y = store_ ? held.get() : reinterpret_cast<T*>(to);
                     row(r / x_.rows, r % x_.rows, y);
                     if (store_) store_(y, 1, to, n);
                   }
                 });
  }

 private:
  // Of each axis of the batch, 0 where the operand repeats.
  Strides steps(const Shape& own, const Strides& of_own) const {
    Strides s(batch_.size(), 0);
    for (std::size_t d = 0; d < own.size(); ++d)
      if (own[d] != 1) s[batch_.size() - own.size() + d] = of_own[d];
    return s;
  }
  std::int64_t place(std::int64_t t, const Strides& steps) const {
    std::int64_t at = 0;
    for (std::size_t d = batch_.size(); d-- > 0; t /= batch_[d]) at += t % batch_[d] * steps[d];
    return at;
  }
  std::int64_t mask_step(int axis) const {
    return mask_.rank() + axis < 0 || mask_.dim(axis) == 1 ? 0 : mask_.strides().end()[axis];
  }

  void row(std::int64_t t, std::int64_t i, T* y) const {
    const std::int64_t from = place(t, x_steps_) + i * x_.row;
    const std::int64_t at = place(t, mask_steps_) + i / block_ * mask_step(-2), along = mask_step(-1);
    for (std::int64_t j = 0; j < x_.columns; j += block_) {
      const std::int64_t n = std::min(block_, x_.columns - j);
      const std::byte* m = masks_ + (at + j / block_ * along) * info(mask_.dtype()).bytes;
      if (!weight_ && *m == std::byte{0}) {
        std::fill_n(y + j, n, T{0});
        continue;
      }
      load_(from_ + (from + j * x_.column) * info(x_.data.dtype()).bytes, x_.column, y + j, n);
      if (!weight_) continue;
      T w;
      weight_(m, 1, &w, 1);
      scale_(y + j, w, nullptr, T{0}, n, y + j);
    }
  }

  const MatrixOperand& x_;
  const Tensor& mask_;
  std::int64_t block_;
  const Tensor& out_;
  Scale scale_;
  Shape batch_;
  Strides x_steps_, mask_steps_;
  Convert load_, store_, weight_;
  const std::byte *from_, *masks_;
  std::byte* to_;
};

void mask_into(const MatrixOperand& x, const Tensor& mask, std::int64_t block, const Tensor& out) {
  if (out.size() == 0) return;
  const auto f32 = PLUMB_DISPATCH(scale_add_f32);
  const auto f64 = PLUMB_DISPATCH(scale_add_f64);
  if (accumulator_of(out.dtype()) == Dtype::f64) Masked<double, decltype(f64)>(x, mask, block, out, f64).run();
  else Masked<float, decltype(f32)>(x, mask, block, out, f32).run();
}

Job prepare_masked(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::cpu);
  const auto mask_blocks = [&](const MatrixOperand& x, const Tensor& mask, Dtype to) {
    const Tensor out(Spec{to, masked_shape(x, mask)});
    p.then({[=, block = c.integer("block_size")] { mask_into(x, mask, block, out); }, [] {},
            [out] { return std::vector<Tensor>{out}; }});
    return out;
  };
  const Tensor out = block_masked(p, c, mask_blocks);
  return p.job(out, specs[0]);
}

Order masked_order(const Call& c) {
  Pipeline p(Side::cpu, true);
  (void)block_masked(p, c, [](const MatrixOperand& x, const Tensor& mask, Dtype to) {
    return Tensor(Spec{to, masked_shape(x, mask)});
  });
  Order o = order_of_product(p);
  o.prologue = 2, o.epilogue = 1;
  return o;
}

}  // namespace

std::vector<Route> batched_cpu_routes() {
  Route gathers;
  gathers.op = "gather_mm", gathers.name = "cpu.runs";
  gathers.order = place_order;
  gathers.prepare = gather;
  Route ranges;
  ranges.op = "segmented_mm", ranges.name = "cpu.blocked";
  ranges.order = place_order;
  ranges.prepare = host<by_place<segments>>;
  Route masks;
  masks.op = "block_masked_mm", masks.name = "cpu.masked";
  masks.order = masked_order;
  masks.prepare = prepare_masked;
  return {gathers, ranges, masks};
}

}  // namespace plumb
