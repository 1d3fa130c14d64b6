// Room: memory for what a CPU route computes on the way. While a MemoryWatch lives, it lies between guard bands and is
// poisoned when it is handed out; damage to a band is collected when it is handed back, as that of outputs is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace plumb {

void* take_room(std::size_t bytes, std::size_t align);  // throws std::bad_alloc
void give_room(void* p, std::size_t align) noexcept;    // null does nothing

template <class T>
struct RoomAllocator {
  using value_type = T;
  RoomAllocator() = default;
  template <class U>
  RoomAllocator(const RoomAllocator<U>&) {}  // NOLINT: allocators of all types convert
  T* allocate(std::size_t n) {
    if (n > SIZE_MAX / sizeof(T)) throw std::bad_alloc();
    return static_cast<T*>(take_room(n * sizeof(T), alignof(T)));
  }
  void deallocate(T* p, std::size_t) noexcept { give_room(p, alignof(T)); }
  friend bool operator==(const RoomAllocator&, const RoomAllocator&) { return true; }
};

// A vector in such room. Its values begin as zeros, as those of any vector do.
template <class T>
using Room = std::vector<T, RoomAllocator<T>>;

// n values that nothing has been stored to yet; T is trivial. Beginning on multiples of `Align` bytes.
template <class T, std::size_t Align = alignof(T)>
class RawRoom {
 public:
  RawRoom() = default;
  explicit RawRoom(std::int64_t n) : p_(static_cast<T*>(take_room(static_cast<std::size_t>(n) * sizeof(T), Align))) {}
  T* get() const { return p_.get(); }
  T& operator[](std::int64_t i) const { return p_.get()[i]; }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  struct Give {
    void operator()(T* p) const { give_room(p, Align); }
  };
  std::unique_ptr<T, Give> p_;
};

// Room that a thread keeps for its next use, since fresh pages would cost as much as the work on them. Under a watch it
// is fresh each time, so that its bands are looked at.
class KeptRoom {
 public:
  KeptRoom() = default;
  ~KeptRoom() { give_room(kept_, kAlign); }
  KeptRoom(const KeptRoom&) = delete;
  KeptRoom& operator=(const KeptRoom&) = delete;

  template <class T>
  using Lease = RawRoom<T, 64>;
  // At least n values, on a cache line. What `owner` holds lives as long as it does; else the room is the thread's.
  template <class T>
  T* get(std::int64_t n, Lease<T>& owner) {
    if (watched()) return (owner = Lease<T>(n)).get();
    return static_cast<T*>(grown(static_cast<std::size_t>(n) * sizeof(T)));
  }

 private:
  static constexpr std::size_t kAlign = 64;
  static bool watched();
  void* grown(std::size_t bytes);
  void* kept_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace plumb
