// The gated delta rule on the CPU: a thread takes some rows of the state of one head through all steps, in a cache.
#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/nn/rows.h"

namespace plumb {

PLUMB_DECLARE_SIMD(int delta_parts())
PLUMB_DECLARE_SIMD(void delta_step(float* s, std::int64_t d, std::int64_t width, float gamma, float beta,
                                   const float* k, const float* q, const float* v, float* out))

namespace {

constexpr Limit kRows{"gated_delta.rows", 32, 16};  // of a state that a thread takes: whole registers
constexpr std::int64_t kRegister = 16;              // lanes of the widest one

// Elements of an operand (.., n) from those indices on.
void read_at(const Tensor& x, std::initializer_list<std::int64_t> index, std::int64_t n, float* to) {
  std::int64_t at = 0;
  std::size_t axis = 0;
  for (const std::int64_t i : index) at += i * x.strides()[axis++];
  nn::read(element_of(x.dtype()), x.read<std::byte>() + at * info(x.dtype()).bytes, x.strides().back(), n, to);
}

// Some rows of the state of one head.
class Rows {
 public:
  Rows(const Call& c, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t count)
      : c_(c),
        b_(b),
        h_(h),
        g_(h / (c.size('H') / c.size('G'))),
        first_(first),
        count_(count),
        width_((count + kRegister - 1) / kRegister * kRegister),
        d_(c.size('D')),
        s_(static_cast<std::size_t>(d_ * width_)),
        k_(static_cast<std::size_t>(d_)),
        q_(k_.size()),
        v_(static_cast<std::size_t>(width_)),
        out_(v_.size()) {}

  void run(Dtype type, std::byte* out, float* state) {
    if (c_.has("initial_state")) begin();
    const Tensor* mask = c_.has("mask") ? &c_["mask"] : nullptr;
    const std::int64_t L = c_.size('L'), H = c_.size('H'), E = c_.size('E'), bytes = info(type).bytes;
    for (std::int64_t t = 0; t < L; ++t) {
      std::byte* y = out + (((b_ * L + t) * H + h_) * E + first_) * bytes;
      const bool kept = !mask || mask->read<std::uint8_t>()[b_ * mask->strides()[0] + t * mask->strides()[1]] != 0;
      if (kept) step(t);
      else std::fill(out_.begin(), out_.end(), 0.0F);
      nn::write(element_of(type), out_.data(), count_, y);
    }
    float* to = state + ((b_ * H + h_) * E + first_) * d_;
    for (std::int64_t e = 0; e < count_; ++e)
      for (std::int64_t d = 0; d < d_; ++d) to[e * d_ + d] = s_[static_cast<std::size_t>(d * width_ + e)];
  }

 private:
  void begin() {
    for (std::int64_t e = 0; e < count_; ++e) {
      read_at(c_["initial_state"], {b_, h_, first_ + e}, d_, k_.data());
      for (std::int64_t d = 0; d < d_; ++d)
        s_[static_cast<std::size_t>(d * width_ + e)] = k_[static_cast<std::size_t>(d)];
    }
  }

  void step(std::int64_t t) {
    float gamma = 0, beta = 0;
    read_at(c_["gamma"], {b_, t, h_}, 1, &gamma);
    read_at(c_["beta"], {b_, t, h_}, 1, &beta);
    read_at(c_["k"], {b_, t, g_}, d_, k_.data());
    read_at(c_["q"], {b_, t, g_}, d_, q_.data());
    read_at(c_["v"], {b_, t, h_, first_}, count_, v_.data());
    PLUMB_DISPATCH(delta_step)(s_.data(), d_, width_, gamma, beta, k_.data(), q_.data(), v_.data(), out_.data());
  }

  const Call& c_;
  std::int64_t b_, h_, g_, first_, count_, width_, d_;
  Room<float> s_, k_, q_, v_, out_;
};

void gated_delta_update(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t B = c.size('B'), H = c.size('H'), E = c.size('E');
  if (B * H * E == 0) return;
  const std::int64_t rows = kRows.of(E), blocks = (E + rows - 1) / rows;
  auto* to = out[0].write<std::byte>();  // asked once: it is made when it is first asked for
  auto* state = out[1].write<float>();
  parallel_for(B * H * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task % blocks * rows, head = task / blocks;
      Rows(c, head / H, head % H, first, std::min(rows, E - first)).run(out[0].dtype(), to, state);
    }
  });
}

Order order(const Call&) {
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = PLUMB_DISPATCH(delta_parts)();
  return o;
}

}  // namespace

std::vector<Route> gated_delta_cpu_routes() {
  return {{.op = "gated_delta_update",
           .name = "cpu.rows",
           .supports = {},
           .prefers = {},
           .order = order,
           .prepare = host<gated_delta_update>}};
}

}  // namespace plumb
