// The zip container (PKWARE APPNOTE 6.3), as far as .npz files need it: members stored or deflated, of any size.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/files.h"

namespace plumb::formats {

struct Member {
  std::string name;
  int method = 0;  // 0 stored, 8 deflated
  std::uint32_t checksum = 0;
  std::uint64_t packed = 0, bytes = 0, begins = 0;  // of its local header
};

// The members that the directory at the end of the file lists, of which no two share a byte.
std::vector<Member> members(ByteSource&);
// The bytes of one. Throws Error(file) if they are not those that the directory promises.
std::string unpacked(ByteSource&, const Member&);

// Writes members one behind another, each stored, then the directory.
class ZipWriter {
 public:
  explicit ZipWriter(Output& out) : out_(out) {}
  void add(const std::string& name, std::string_view head, std::string_view data);
  void end();

 private:
  Output& out_;
  std::vector<Member> members_;
  std::uint64_t at_ = 0;
};

}  // namespace plumb::formats
