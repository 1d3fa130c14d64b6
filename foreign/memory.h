// Memory that a child shares: two files without a name, of a size that neither side can change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/guard.h"

namespace plumb::foreign {

// One of the two. Pieces lie on pages of their own, between guard bands.
class Arena {
 public:
  enum class Use : std::uint8_t { inputs, outputs };  // of inputs the child can make no writable map
  Arena(Use, std::size_t bytes);                      // throws Error(memory)
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  int fd() const { return fd_; }
  std::size_t take(std::size_t bytes);  // the offset of its first byte, a multiple of 64; throws Error(memory)
  void give(std::size_t offset);
  std::byte* at(std::size_t offset) const { return base_ + offset; }
  void poison(std::size_t offset);        // all of it, and its bands anew
  bool intact(std::size_t offset) const;  // its bands

 private:
  struct Piece {
    std::size_t begin, end, bytes;  // of its pages; of itself
    GuardPair guard;                // what its bands hold is not asked of memory that the child can write
  };
  void band(Piece&, std::size_t offset);

  int fd_ = -1;
  std::size_t size_;
  std::byte* base_ = nullptr;
  std::map<std::size_t, Piece> pieces_;  // by offset
};

// A piece that is given back with its holder.
class Lease {
 public:
  Lease(Arena& arena, std::size_t bytes) : arena_(&arena), offset_(arena.take(bytes)), bytes_(bytes) {}
  ~Lease() {
    if (arena_) arena_->give(offset_);
  }
  Lease(Lease&& other) noexcept : arena_(other.arena_), offset_(other.offset_), bytes_(other.bytes_) {
    other.arena_ = nullptr;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Arena& arena() const { return *arena_; }
  std::size_t offset() const { return offset_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Arena* arena_;
  std::size_t offset_, bytes_;
};

}  // namespace plumb::foreign
