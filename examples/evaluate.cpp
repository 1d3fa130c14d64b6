// Asks the reference what an operation gives, in exact terms; then a fast route, and how far the two are apart.
#include <cstdio>

#include "cli/families.h"
#include "core/route.h"

using namespace plumb;

int main() {
  install_families();

  // A call is the name of an operation, its inputs in the order of `plumb list ops`, and attributes that differ from
  // their defaults. Each value is rounded once to the dtype, here f16, shape (2, 3).
  const Tensor a = tensor(Dtype::f16, {2, 3}, {1, 2, 3, 0.1, 0.2, 8});
  const Call call = make_call("softmax", {a}, {{"axis", 1}});
  std::printf("%s\n", std::string(call.op->equation).c_str());

  // The oracle computes in a wider type than any route and rounds nothing: binary64 for f16, bf16 and f32.
  const std::vector<Wide> exact = call.op->oracle(call);
  for (const double y : reals(exact[0]).data) std::printf("  %.17g\n", y);

  // `narrow` rounds it once to the dtype of the output. That is the answer in f16.
  const Tensor rounded = narrow(exact[0], call.outputs()[0].dtype);
  std::printf("reference: %s\n", to_string(rounded.spec()).c_str());

  // The route that this machine prefers, and its error as a share of the one that follows from its declared order.
  const Decision chosen = select(call, current_device());
  const std::vector<Tensor> got = run(call, *chosen.route);
  const Deviation d = compare(call, exact, magnitude(call), order_of(*chosen.route, call), got);
  std::printf("%s: largest error %.2g of the allowed one, %s\n", std::string(chosen.route->name).c_str(), d.ratio,
              d.ok() ? "right" : "wrong");

  // A call that makes no sense is an error before anything is computed, with the reason for programs and for people.
  try {
    (void)make_call("softmax", {a}, {{"axis", 2}});
  } catch (const Error& e) {
    std::printf("%s\n", e.what());
    return d.ok() && e.reason() == Reason::axis ? 0 : 1;
  }
  return 1;
}
