// CPU route of einsum: operands two at a time, on the routes of matmul, multiply and sum.
#include "plans/linalg/products/einsum.h"

namespace plumb {
namespace {

using namespace products;

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::cpu);
  const Tensor out = einsum(p, c);
  return p.job(out, specs[0]);
}

}  // namespace

std::vector<Route> einsum_cpu_routes() {
  Route r;
  r.op = "einsum", r.name = "cpu.pairs";
  r.order = [](const Call& c) { return einsum_order(Side::cpu, c); };
  r.prepare = prepare;
  return {r};
}

}  // namespace plumb
