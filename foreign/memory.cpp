#include "foreign/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/memory.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace plumb::foreign {
namespace {

constexpr std::size_t kPage = 4096;

std::size_t whole_pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

[[noreturn]] void fail(const std::string& what) {
  throw Error("plumb", Reason::memory, "memory for a backend: " + what + ": " + std::strerror(errno));
}

}  // namespace

// The child can neither shorten the file, which would end the judge at its next look, nor change what stays.
Arena::Arena(Use use, std::size_t bytes) : size_(whole_pages(bytes)) {
  fd_ = ::memfd_create(use == Use::inputs ? "plumb inputs" : "plumb outputs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd_ < 0) fail("memfd_create");
  void* p = MAP_FAILED;
  if (::ftruncate(fd_, static_cast<off_t>(size_)) == 0)
    p = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd_, 0);
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | (use == Use::inputs ? F_SEAL_FUTURE_WRITE : 0) | F_SEAL_SEAL;
  if (p == MAP_FAILED || ::fcntl(fd_, F_ADD_SEALS, seals) != 0) {
    const int error = errno;
    if (p != MAP_FAILED) ::munmap(p, size_);
    ::close(fd_);
    errno = error;
    fail("a file of " + std::to_string(size_) + " bytes");
  }
  base_ = static_cast<std::byte*>(p);
}

Arena::~Arena() {
  ::munmap(base_, size_);
  ::close(fd_);
}

// The first gap that is wide enough.
std::size_t Arena::take(std::size_t bytes) {
  const std::size_t need = bytes > size_ ? size_ + 1 : kPage + whole_pages(bytes) + kPage;
  std::size_t begin = 0;
  for (const auto& [offset, piece] : pieces_) {
    if (piece.begin - begin >= need) break;
    begin = piece.end;
  }
  if (need > size_ - begin)
    throw Error("plumb", Reason::memory,
                std::to_string(bytes) + " bytes more do not fit into what is shared with a backend");
  const std::size_t offset = begin + kPage;
  band(pieces_.emplace(offset, Piece{begin, begin + need, bytes, {}}).first->second, offset);
  return offset;
}

void Arena::give(std::size_t offset) { pieces_.erase(offset); }

void Arena::band(Piece& p, std::size_t offset) {
  p.guard = next_guard();
  fill_guard(base_ + p.begin, offset - p.begin, p.guard);
  fill_guard(base_ + offset + p.bytes, p.end - offset - p.bytes, p.guard);
}

void Arena::poison(std::size_t offset) {
  Piece& p = pieces_.at(offset);
  std::memset(base_ + offset, kPoisonByte, p.bytes);
  band(p, offset);
}

bool Arena::intact(std::size_t offset) const {
  const Piece& p = pieces_.at(offset);
  return is_guard(base_ + p.begin, offset - p.begin, p.guard) &&
         is_guard(base_ + offset + p.bytes, p.end - offset - p.bytes, p.guard);
}

}  // namespace plumb::foreign
