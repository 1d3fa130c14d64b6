#include "core/memory.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "core/error.h"
#include "core/guard.h"
#include "core/reserved.h"

namespace plumb {
namespace {

constexpr std::size_t kHostAlign = 64;  // a cache line, and the widest vector

std::atomic<int> watches{0}, reserving{0};
std::mutex damage_mutex;
std::vector<std::string> damage;
std::atomic<std::size_t> alive{0}, peak{0};

void count_bytes(std::size_t bytes) {
  const std::size_t now = alive += bytes;
  std::size_t seen = peak;
  while (now > seen && !peak.compare_exchange_weak(seen, now)) {
  }
}

bool bands_intact(const std::byte* payload, std::size_t bytes) {
  const GuardPair pair = guard_of(payload - kGuardBytes);
  return is_guard(payload - kGuardBytes, kGuardBytes, pair) && is_guard(payload + bytes, kGuardBytes, pair);
}

}  // namespace

HostBlock host_block(std::size_t bytes) {
#if defined(__linux__)
  constexpr std::size_t kHugePage = 1 << 21;
  if (bytes >= 2 * kHugePage) {
    const bool reserve = reserving > 0;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (reserve ? MAP_NORESERVE : 0);
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (p == MAP_FAILED) return {};
    // Advice: where it cannot be followed, nothing is lost.
    (void)madvise(p, bytes, reserve ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    return HostBlock(static_cast<std::byte*>(p), HostRelease{bytes});
  }
#endif
  return HostBlock(new (std::nothrow) std::byte[bytes]);
}

void HostRelease::operator()(std::byte* p) const {
#if defined(__linux__)
  if (mapped > 0) {
    munmap(p, mapped);
    return;
  }
#endif
  delete[] p;
}

Storage::Storage(std::size_t bytes) : bytes_(bytes) {}

Storage::~Storage() {
  if (MemoryWatch::active() && host_ && !bands_intact(host_, bytes_))
    MemoryWatch::damaged("a host buffer of " + std::to_string(bytes_) + " bytes was written outside");
  if (host_) alive -= bytes_;
}

void Storage::make_host() {
  if (host_) return;
  if (bytes_ > SIZE_MAX - 2 * kGuardBytes - kHostAlign)
    throw Error("memory", Reason::memory, std::to_string(bytes_) + " bytes");
  host_block_ = host_block(bytes_ + 2 * kGuardBytes + kHostAlign);
  if (!host_block_) throw Error("memory", Reason::memory, "cannot allocate " + std::to_string(bytes_) + " bytes");
  const auto past_line = reinterpret_cast<std::uintptr_t>(host_block_.get()) % kHostAlign;
  host_ = host_block_.get() + kGuardBytes + (kHostAlign - past_line) % kHostAlign;
  const GuardPair pair = next_guard();
  fill_guard(host_ - kGuardBytes, kGuardBytes, pair);
  fill_guard(host_ + bytes_, kGuardBytes, pair);
  if (MemoryWatch::active()) std::memset(host_, kPoisonByte, bytes_);
  count_bytes(bytes_);
}

const std::byte* Storage::host_read() {
  make_host();
  if (!host_current_) {
    device_->download(host_);
    host_current_ = true;
  }
  return host_;
}

std::byte* Storage::host_write() {
  (void)host_read();
  // Once one thread has asked, others may ask beside each other: nothing is left to be set.
  if (device_current_) device_current_ = false;
  if (!written_) written_ = true;
  return host_;
}

std::shared_ptr<DeviceSide> Storage::device_read(const MakeDevice& make) {
  if (!device_) device_ = make(bytes_);
  if (!device_current_) {
    if (written_) device_->upload(host_read());
    device_current_ = true;
  }
  return device_;
}

std::shared_ptr<DeviceSide> Storage::device_write(const MakeDevice& make) {
  auto side = device_read(make);
  host_current_ = false;
  written_ = true;
  return side;
}

bool Storage::guards_intact() {
  const bool host = !host_ || bands_intact(host_, bytes_);
  return host && (!device_ || device_->guards_intact());
}

ReservedOnly::ReservedOnly() { ++reserving; }
ReservedOnly::~ReservedOnly() { --reserving; }

MemoryWatch::MemoryWatch() { ++watches; }
MemoryWatch::~MemoryWatch() { --watches; }
bool MemoryWatch::active() { return watches > 0; }

void MemoryWatch::damaged(const std::string& what) {
  const std::lock_guard lock(damage_mutex);
  damage.push_back(what);
}

std::vector<std::string> MemoryWatch::take_damage() {
  const std::lock_guard lock(damage_mutex);
  return std::exchange(damage, {});
}

std::size_t host_bytes_alive() { return alive; }
std::size_t host_bytes_peak() { return peak; }
void reset_host_bytes_peak() { peak = alive.load(); }

}  // namespace plumb
