#include "core/room.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/guard.h"
#include "core/memory.h"

namespace plumb {
namespace {

constexpr std::size_t kBand = 512;    // on each side
constexpr std::size_t kNatural = 16;  // what operator new aligns to

void* raw(std::size_t bytes, std::size_t align) {
  return align <= kNatural ? ::operator new(bytes) : ::operator new (bytes, std::align_val_t{align});
}
void release(void* p, std::size_t align) noexcept {
  align <= kNatural ? ::operator delete(p) : ::operator delete (p, std::align_val_t{align});
}

// Watched rooms by their address. Without a watch there are none, and nothing of this is asked.
struct Watched {
  std::byte* base;
  std::size_t before, bytes;
};
struct All {
  std::mutex mutex;
  std::unordered_map<void*, Watched> rooms;
};
All& all() {
  static All* a = new All;  // never destroyed: rooms may outlive statics
  return *a;
}
std::atomic<std::size_t> watched_rooms{0};

void* take_watched(std::size_t bytes, std::size_t align) {
  const std::size_t before = (kBand + align - 1) / align * align;
  if (bytes > SIZE_MAX - before - kBand) throw std::bad_alloc();
  auto* base = static_cast<std::byte*>(raw(before + bytes + kBand, align));
  const GuardPair pair = next_guard();
  fill_guard(base, before, pair);
  std::memset(base + before, kPoisonByte, bytes);
  fill_guard(base + before + bytes, kBand, pair);
  const std::lock_guard lock(all().mutex);
  all().rooms[base + before] = {base, before, bytes};
  ++watched_rooms;
  return base + before;
}

bool intact(const Watched& w) {
  const GuardPair pair = guard_of(w.base);
  return is_guard(w.base, w.before, pair) && is_guard(w.base + w.before + w.bytes, kBand, pair);
}

// Whether p was watched, and so is released here.
bool give_watched(void* p, std::size_t align) {
  Watched w{};
  {
    const std::lock_guard lock(all().mutex);
    const auto it = all().rooms.find(p);
    if (it == all().rooms.end()) return false;
    w = it->second;
    all().rooms.erase(it);
    --watched_rooms;
  }
  if (!intact(w))
    MemoryWatch::damaged("room of " + std::to_string(w.bytes) +
                         " bytes within the route was written outside its bounds");
  release(w.base, align);
  return true;
}

}  // namespace

void* take_room(std::size_t bytes, std::size_t align) {
  return MemoryWatch::active() ? take_watched(bytes, align) : raw(bytes, align);
}

void give_room(void* p, std::size_t align) noexcept {
  if (p == nullptr || (watched_rooms != 0 && give_watched(p, align))) return;
  release(p, align);
}

bool KeptRoom::watched() { return MemoryWatch::active(); }

void* KeptRoom::grown(std::size_t bytes) {
  if (bytes > bytes_) {
    give_room(kept_, kAlign);
    kept_ = nullptr, bytes_ = 0;
    kept_ = take_room(bytes, kAlign);
    bytes_ = bytes;
  }
  return kept_;
}

}  // namespace plumb
