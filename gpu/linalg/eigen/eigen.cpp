#include "gpu/linalg/eigen/eigen.h"

#include <algorithm>

namespace plumb::gpu::eigen {
namespace {

constexpr std::size_t kGroup = 64;                            // as in the kernels of this wing
constexpr std::int64_t kWorthLaunch = std::int64_t{1} << 14;  // elements

Order in_type(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

const Condition kDoubles{Stage::capability, "the device has no f64 arithmetic",
                         [](const Call& c, const Device& d) { return d.fp64 || c.dtype(0) != Dtype::f64; }};
const Condition kLarge{Stage::shape_dtype, "under 16384 elements: a launch costs more",
                       [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }};

}  // namespace

Options options(Dtype t) {
  return {{"X", t == Dtype::f64 ? Dtype::f64 : Dtype::f32}, {"WIDE", t == Dtype::f64}, {"COMPLEX", t == Dtype::c64}};
}

Job checked(const Call& c, std::vector<Tensor> out, const BufferPtr& failed, std::int64_t matrices,
            const std::vector<Launch>& launches) {
  Job j = job(std::move(out), [launches] {
    for (const Launch& l : launches) {
      const auto count = static_cast<std::size_t>(l.count);
      if (l.groups) l.kernel.run({count * kGroup}, {kGroup});
      else l.kernel.run({count});
    }
  });
  j.wait = [c, failed, matrices, done = j.wait] {
    done();
    std::vector<std::int32_t> bad(static_cast<std::size_t>(matrices));
    failed->download(reinterpret_cast<std::byte*>(bad.data()));
    const auto first = std::find_if(bad.begin(), bad.end(), [](std::int32_t b) { return b != 0; });
    if (first != bad.end())
      c.fail(Reason::domain, "matrix " + std::to_string(first - bad.begin()) +
                                 (*first == 1 ? " holds a value that is not finite" : " does not converge"));
  };
  return j;
}

Route route() {
  Route r;
  r.tier = r.needs = Tier::gpu;
  r.supports = {kDoubles};
  r.prefers = {kNotHost, kLarge};
  r.order = in_type;
  return r;
}

}  // namespace plumb::gpu::eigen
