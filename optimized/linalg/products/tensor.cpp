// CPU routes of the products of whole tensors: views, given to the routes of matmul and multiply.
#include "plans/linalg/products/tensor.h"

#include "optimized/linalg/products/vecdot.h"

namespace plumb {
namespace {

using namespace products;

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::cpu);
  const Tensor out = tensor_product(p, c);
  return p.job(out, specs[0]);
}

Order order(const Call& c) {
  Pipeline p(Side::cpu, true);
  (void)tensor_product(p, c);
  return order_of_product(p);
}

Route route(std::string_view op) {
  Route r;
  r.op = op, r.name = "cpu.views";
  r.order = order;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> tensor_cpu_routes() {
  return {route("outer"), route("kron"), route("inner"), route("tensordot"), vecdot_cpu_route(), route("vecdot")};
}

}  // namespace plumb
