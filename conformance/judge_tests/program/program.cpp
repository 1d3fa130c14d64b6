// What `plumb` is linked with in place of the families: the tables of fakes.h, a machine that is played, ceilings that
// are not measured, and no peers.
#include <memory>

#include "bench/ceilings.h"
#include "bench/peers.h"
#include "cli/families.h"
#include "conformance/judge_tests/fakes.h"

namespace plumb {
namespace {

// One device that computes and has nothing beyond that.
class PlayedPlatform : public Platform {
 public:
  std::vector<DeviceFacts> devices() override {
    DeviceFacts f;
    f.index = 0, f.platform = "played", f.name = "Played Device";
    return {f};
  }
  Outcome run(const DeviceFacts&, TestKernel k) override {
    return k == TestKernel::add ? Outcome{true, ""} : Outcome{false, "is not played"};
  }
};

}  // namespace

void install_families() {
  fakes::install();
  install_platform(std::make_unique<PlayedPlatform>());
}

// Far above what any machine does, so that a share of it is always small.
double Ceilings::flops(bool, bool, Dtype, int) { return 1e20; }
double Ceilings::bytes(bool, double, int) { return 1e20; }
void Ceilings::again(bool, bool, Dtype, double, int) {}
std::vector<Ceiling> Ceilings::measured() const { return {{"played", "host", 1, 1e20, "flop/s"}}; }

std::span<const Peer> peers() { return {}; }

}  // namespace plumb
