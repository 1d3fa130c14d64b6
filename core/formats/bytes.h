// Numbers of a file of little-endian bytes, each checked to be there before it is read.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/error.h"
#include "core/files.h"

namespace plumb::formats {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in the file");

[[noreturn]] inline void fail(const ByteSource& file, const std::string& what) {
  throw Error("plumb", Reason::file, file.name() + ": " + what);
}

// Reads on from a place of a file.
class Cursor {
 public:
  explicit Cursor(ByteSource& file, std::uint64_t at = 0) : file_(file), at_(at) {}

  std::uint64_t at() const { return at_; }
  ByteSource& file() const { return file_; }

  template <class T>
  T number(const char* what) {
    T value;
    read(sizeof value, reinterpret_cast<char*>(&value), what);
    return value;
  }

  std::string text(std::uint64_t bytes, const char* what) {
    require(bytes, what);
    std::string value(static_cast<std::size_t>(bytes), '\0');
    read(bytes, value.data(), what);
    return value;
  }

  void read(std::uint64_t bytes, char* to, const char* what) {
    require(bytes, what);
    file_.read(at_, bytes, to);
    at_ += bytes;
  }

  void skip(std::uint64_t bytes, const char* what) {
    require(bytes, what);
    at_ += bytes;
  }

 private:
  void require(std::uint64_t bytes, const char* what) const {
    const std::uint64_t there = bytes <= UINT64_MAX - at_ ? file_.reach(at_ + bytes) : 0;
    if (there < at_ || bytes > there - at_)
      fail(file_, "truncated: it ends within " + std::string(what) + ", which begins at byte " + std::to_string(at_));
  }

  ByteSource& file_;
  std::uint64_t at_;
};

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace plumb::formats
