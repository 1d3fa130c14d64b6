// The safetensors container: 8-byte little-endian header length, JSON header, raw row-major data.
// Reading validates everything that is used before it is used; a hostile file gives Error(file).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/tensor.h"

namespace plumb {

using TensorMap = std::map<std::string, Tensor>;

// A container whose header was read. A tensor is interpreted when it is asked for: what is wrong with another one is
// no error, unless they share bytes.
class Container {
 public:
  explicit Container(const std::string& path);  // "-": standard input
  explicit Container(ByteSource);
  Container(std::string bytes, std::string name);

  const std::string& name() const { return source_.name(); }
  std::vector<std::string> names() const;  // in rising order
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // The type in the file is a float of 8, 6 or 4 bits, for which there is no dtype: its tensor holds codes, as u8.
  bool is_codes(std::string_view name) const;
  std::string_view tag(std::string_view name) const;  // the type as the file names it
  Tensor tensor(std::string_view name);

  struct Entry {
    std::string name, tag, wrong;  // why it cannot be used, if it is known from the header
    Shape shape;
    std::uint64_t begin = 0, end = 0;
    bool has_tag = false, has_shape = false, has_offsets = false;
  };

 private:
  void read_header();
  void require_tiling() const;
  const Entry* find(std::string_view name) const;
  const Entry& at(std::string_view name) const;
  std::uint64_t header_length();
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const Entry&, const std::string& what) const;
  std::string bytes_of(const Entry&);
  void require_bits(const Entry&, int bits, const std::string& type) const;

  ByteSource source_;
  std::vector<Entry> entries_;  // by name
  std::uint64_t data_ = 0, data_bytes_ = 0;
};

TensorMap read_safetensors(const std::string& path);
TensorMap parse_safetensors(const std::string& bytes, const std::string& name = "<memory>");
void write_safetensors(Output&, const TensorMap&);  // the caller commits
void write_safetensors(const std::string& path, const TensorMap&);

}  // namespace plumb
