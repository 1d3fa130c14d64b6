// CPU route of addmm: the sums of matmul, then alpha and beta, row by row.
#include <algorithm>
#include <type_traits>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/array/operand.h"
#include "optimized/linalg/products/scale.h"
#include "plans/linalg/products/batched.h"

namespace plumb {
namespace {

using namespace products;

constexpr Limit kGrain{"addmm.elements", 1 << 15, 16};  // worth a thread

// Real parts and imaginary ones are scaled alike, so a complex row is a real one of twice the length.
template <class T, class Scale>
class Rows {
 public:
  Rows(const Call& c, const Tensor& sums, const Tensor& out, Scale scale)
      : scale_(scale), sums_(sums), out_(out), wide_(accumulator_of(out.dtype())), parts_(is_complex(wide_) ? 2 : 1) {
    alpha_ = static_cast<float>(c.number("alpha")), beta_ = static_cast<float>(c.number("beta"));
    n_ = out.rank() == 0 ? 1 : out.dim(-1);
    if (beta_ != 0) {
      c_ = as_dtype(as_dtype(c[0], out.dtype()), wide_);
      steps_ = broadcast_strides(c_, out.shape());
    }
  }

  void run() {
    if (out_.size() == 0) return;
    const auto* s = sums_.read<T>();
    auto* out = out_.write<std::byte>();
    const Convert narrow = out_.dtype() == wide_ ? nullptr : converter(wide_, out_.dtype());
    const std::int64_t grain = std::max<std::int64_t>(1, kGrain.of(out_.size()) / n_);
    parallel_for(out_.size() / n_, grain, [&](std::int64_t r, std::int64_t end) {
      RawRoom<T> held(n_ * parts_), sums(n_ * parts_);
      for (; r < end; ++r) {
        std::byte* to = out + r * n_ * info(out_.dtype()).bytes;
        T* y = narrow ? sums.get() : reinterpret_cast<T*>(to);
        scale_(s + r * n_ * parts_, static_cast<T>(alpha_), addend(r, held.get()), static_cast<T>(beta_), n_ * parts_,
               y);
        if (narrow) narrow(y, 1, to, n_);
      }
    });
  }

 private:
  // Row r of c, dense; null where it is not asked for.
  const T* addend(std::int64_t r, T* room) const {
    if (beta_ == 0) return nullptr;
    std::int64_t at = 0;
    for (std::size_t d = out_.shape().size(); d-- > 1; r /= out_.shape()[d - 1])
      at += r % out_.shape()[d - 1] * steps_[d - 1];
    const T* from = c_.template read<T>() + at * parts_;
    const std::int64_t step = steps_.empty() ? 1 : steps_.back();
    if (step == 1 || n_ == 1) return from;
    for (std::int64_t i = 0; i < n_; ++i)
      for (int p = 0; p < parts_; ++p) room[i * parts_ + p] = from[i * step * parts_ + p];
    return room;
  }

  std::decay_t<Scale> scale_;  // a function where there is one instruction set
  const Tensor &sums_, &out_;
  Dtype wide_;
  int parts_;
  float alpha_, beta_;
  std::int64_t n_;
  Tensor c_;
  Strides steps_;
};

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::cpu);
  const Tensor sums = unrounded_product(p, c[1], c[2], specs[0].dtype), out(specs[0]);
  p.then({[c, sums, out] {
            if (accumulator_of(out.dtype()) == Dtype::f64)
              Rows<double, decltype(PLUMB_DISPATCH(scale_add_f64))>(c, sums, out, PLUMB_DISPATCH(scale_add_f64)).run();
            else
              Rows<float, decltype(PLUMB_DISPATCH(scale_add_f32))>(c, sums, out, PLUMB_DISPATCH(scale_add_f32)).run();
          },
          [] {}, [out] { return std::vector<Tensor>{out}; }});
  return p.job(out, specs[0]);
}

Order order(const Call& c) {
  Pipeline p(Side::cpu, true);
  (void)unrounded_product(p, c[1], c[2], output_specs(c)[0].dtype);
  Order o = order_of_product(p);
  o.epilogue += 2;
  return o;
}

}  // namespace

std::vector<Route> addmm_cpu_routes() {
  Route r;
  r.op = "addmm", r.name = "cpu.scaled";
  r.order = order;
  r.prepare = prepare;
  return {r};
}

}  // namespace plumb
