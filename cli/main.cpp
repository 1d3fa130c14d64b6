#include <cstdio>

#include "cli/families.h"
#include "conformance/check.h"

int main(int argc, char** argv) {
  plumb::install_families();
  plumb::CheckOptions o;
  if (argc > 2) o.queries = {argv[2]};
  o.failed = [](const plumb::Failure& f) { std::printf("FAIL %s\n  %s\n", f.repro.c_str(), f.message.c_str()); };
  const plumb::CheckResult r = plumb::check(o);
  for (const auto& t : r.tallies)
    std::printf("%-20s %-24s %5ld passed %5ld failed %5ld refused %5ld absent, worst %.3g, %.2f s\n", t.op.c_str(),
                t.route.c_str(), t.passed, t.failed, t.refused, t.absent, t.worst, t.seconds);
  std::printf("%ld passed, %ld failed, %ld skipped\n", r.passed, r.failed, r.skipped);
  return r.passed > 0 && r.failed == 0 ? 0 : 1;
}
