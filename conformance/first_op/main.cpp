// The operation of docs/first-op.md as it stands there, judged as the page says: what a reader copies must compile and
// be right. The build takes the three files out of the page.
#include <cstdio>

#include "conformance/check.h"
#include "generated/first_op/optimized.inc"
#include "generated/first_op/reference.inc"
#ifdef PLUMB_GPU
#include "generated/first_op/gpu.inc"
#endif

int main() {
  using namespace plumb;
  install(moving_sum_ops(), moving_sum_cpu_routes());
#ifdef PLUMB_GPU
  install(moving_sum_ops(), moving_sum_gpu_routes());  // a complete row; its kernel is in the page alone
  install(moving_sum_ops(), moving_sum_cpu_routes());
#endif
  CheckOptions options;
  options.failed = [](const Failure& f) { std::printf("FAIL %s\n     %s\n", f.case_id.c_str(), f.message.c_str()); };
  const CheckResult r = check(options);
  std::printf("%lld passed, %lld failed\n", static_cast<long long>(r.passed), static_cast<long long>(r.failed));
  return r.failed == 0 && r.ran == 56 && r.at_gate == 20 ? 0 : 1;
}
