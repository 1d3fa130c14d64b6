// What `plumb` is linked with in place of the families: the tables of fakes.h, a machine that is played, ceilings that
// are not measured, and made-up peers.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

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
    f.index = 0, f.platform = "played", f.name = "Played Device", f.vendor = "Vendor \xff of none";
    f.compute_units = 2, f.clock_mhz = 1980;
    return {f};
  }
  Outcome run(const DeviceFacts&, TestKernel k) override {
    return k == TestKernel::add ? Outcome{true, ""} : Outcome{false, "is not played"};
  }
};

// FAKES_STOP="OP N SIGNAL": where the route cpu.any of OP meets an input of N elements, the program is sent the signal
// and waits for what comes of it, if anything does; signal 0 only lets time pass, as long work does.
void play_interruption() {
  const char* text = std::getenv("FAKES_STOP");
  std::istringstream words(text ? text : "");
  std::string op;
  std::int64_t n = 0;
  int signal = 0;
  if (!(words >> op >> n >> signal)) return;
  fakes::route_that(op, [n, signal](const Call& call, std::vector<Tensor>& out, int) {
    fakes::right(call, out);
    if (call.in[0].size() != n) return;
    struct sigaction now {};
    if (signal != 0) kill(getpid(), signal), sigaction(signal, nullptr, &now);
    if (now.sa_handler == SIG_IGN) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(signal == 0 ? 900 : 20'000));
  });
}

}  // namespace

void install_families() {
  fakes::install();
  play_interruption();
  install_platform(std::make_unique<PlayedPlatform>());
}
void install_family_of(std::string_view) { install_families(); }

// Far above what any machine does, so that a share of it is always small; with FAKES_CEILINGS=lost that of memory could
// not be measured.
namespace {

Ceiling played(const char* name, const char* unit, bool lost) {
  return {name, "host", 1, lost ? 0 : 1e20, unit, lost ? "memory: cannot allocate 7 bytes" : ""};
}
const Ceiling kArithmetic = played("fma_played", "flop/s", false);
const Ceiling kCopy = played("copy_64KiB", "bytes/s", std::getenv("FAKES_CEILINGS") != nullptr);

}  // namespace

const Ceiling& Ceilings::flops(bool, bool, Dtype, int) { return kArithmetic; }
const Ceiling& Ceilings::bytes(bool, double, int) { return kCopy; }
void Ceilings::again(bool, bool, Dtype, double, int) {}
void Ceilings::take_over(const std::vector<Ceiling>&) {}
std::vector<Ceiling> Ceilings::measured() const { return {kArithmetic, kCopy}; }

// With FAKES_PEERS: one that takes its time, and one whose library is not there.
namespace {

bool takes_all(const Call&) { return std::getenv("FAKES_PEERS") != nullptr; }
std::function<void()> sleeps(const Call&, int) {
  return [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };
}
std::function<void()> never_bound(const Call&, int) { throw std::logic_error("a peer that is missing was bound"); }
std::string nothing() { return ""; }
std::string gone() { return "libgone.so.0 is not here"; }

const Peer kPeers[] = {
    {"many", "peer.slow", "sleeps", true, takes_all, sleeps, nothing},
    {"many", "peer.gone", "is not here", true, takes_all, never_bound, gone},
};

}  // namespace

std::span<const Peer> peers() { return kPeers; }

}  // namespace plumb
