// oracles PART: every oracle on the smallest cases of its row, and every call that its row refuses: no fuzzer, but what
// the sanitizers of their build look at beside. Part 1 has every second row, part 2 the others.
#include <cstdio>
#include <string_view>

#include "core/error.h"
#include "core/route.h"
#include "fuzz/tables.h"

namespace plumb {
namespace {

struct Tally {
  long cases = 0, outputs = 0, refused = 0;
};

void run_cases(const Op& op, Tally& tally) {
  for (const Case& c : op.cases()) {
    if (c.budget != Budget::smoke) continue;
    tally.outputs += static_cast<long>(op.oracle(make_call(op, realize(op, c), c.attrs)).size());
    ++tally.cases;
  }
}

// False: one was not refused.
bool refuse_cases(const Op& op, Tally& tally) {
  if (!op.rejects) return true;
  for (const Reject& r : op.rejects()) {
    try {
      op.oracle(make_call(op, realize(op, r.call), r.call.attrs));
      std::fprintf(stderr, "%s was not refused\n", id(op, r.call).c_str());
      return false;
    } catch (const Error&) {
      ++tally.refused;
    }
  }
  return true;
}

bool run_part(int part, Tally& tally) {
  bool good = true;
  int row = 0;
  for (const Op& op : ops()) {
    if (++row % 2 != part % 2) continue;
    run_cases(op, tally);
    good = refuse_cases(op, tally) && good;
  }
  return good;
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  const std::string_view part = argc == 2 ? argv[1] : "";
  if (part != "1" && part != "2") {
    std::fprintf(stderr, "oracles 1, oracles 2: the part of the rows\n");
    return 2;
  }
  plumb::fuzz::install_rows();
  plumb::Tally tally;
  const bool good = plumb::run_part(part == "1" ? 1 : 2, tally);
  std::printf("%ld cases with %ld outputs, %ld refused\n", tally.cases, tally.outputs, tally.refused);
  return good && tally.cases > 0 && tally.outputs >= tally.cases ? 0 : 1;
}
