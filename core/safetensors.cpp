#include "core/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/strict_json.h"

namespace plumb {
namespace {

using nlohmann::json;
static_assert(std::endian::native == std::endian::little, "data is copied as it lies in the file");

constexpr std::size_t kPrefix = 8;                 // the header's length
constexpr std::uint64_t kMaxHeader = 100'000'000;  // as other readers have it
constexpr JsonLimits kHeaderLimits{4, 64};         // tensor, field, list; at most 64 axes
constexpr std::string_view kMetadata = "__metadata__";

struct Entry {
  std::string name;
  Spec spec;
  std::uint64_t begin, end;
};

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw Error("safetensors", Reason::file, file + ": " + what);
}

[[noreturn]] void fail(const std::string& file, const std::string& tensor, const std::string& what) {
  fail(file, "tensor \"" + tensor + "\": " + what);
}

std::uint64_t header_length(const std::string& bytes, const std::string& file) {
  if (bytes.size() < kPrefix)
    fail(file, "truncated: " + std::to_string(bytes.size()) + " bytes instead of an 8-byte header length");
  std::uint64_t length;
  std::memcpy(&length, bytes.data(), kPrefix);
  if (length > kMaxHeader)
    fail(file, "a header of " + std::to_string(length) + " bytes is over the limit of 100000000");
  if (length > bytes.size() - kPrefix)
    fail(file,
         "truncated: a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(bytes.size()));
  return length;
}

const json& field(const json& entry, const char* name, const std::string& file, const std::string& tensor) {
  const auto found = entry.find(name);
  if (found == entry.end()) fail(file, tensor, std::string("no \"") + name + "\"");
  return *found;
}

Dtype dtype_of(const json& tag, const std::string& file, const std::string& tensor) {
  if (!tag.is_string()) fail(file, tensor, "dtype is not a string: " + excerpt(tag));
  const auto dtype = dtype_named(tag.get_ref<const std::string&>());
  if (!dtype || info(*dtype).tag != tag.get_ref<const std::string&>())
    fail(file, tensor, "unknown dtype " + excerpt(tag));
  return *dtype;
}

// Non-negative sizes whose strides, hence the product of all sizes but zeros, fit into 63 bits of bytes.
Shape shape_of(const json& list, int element_bytes, const std::string& file, const std::string& tensor) {
  if (!list.is_array()) fail(file, tensor, "shape is not a list: " + excerpt(list));
  Shape shape;
  std::uint64_t room = std::numeric_limits<std::int64_t>::max() / element_bytes;
  for (const json& size : list) {
    if (!size.is_number_unsigned()) fail(file, tensor, "bad size in shape: " + excerpt(size));
    const auto n = size.get<std::uint64_t>();
    if (n > room) fail(file, tensor, "shape overflows: " + excerpt(list));
    if (n > 1) room /= n;
    shape.push_back(static_cast<std::int64_t>(n));
  }
  return shape;
}

Entry entry_of(const std::string& tensor, const json& value, std::uint64_t data_bytes, const std::string& file) {
  if (!value.is_object()) fail(file, tensor, "not an object: " + excerpt(value));
  for (const auto& [key, unused] : value.items())
    if (key != "dtype" && key != "shape" && key != "data_offsets") fail(file, tensor, "unknown key \"" + key + "\"");
  const Dtype dtype = dtype_of(field(value, "dtype", file, tensor), file, tensor);
  const int width = info(dtype).bytes;
  Spec spec{dtype, shape_of(field(value, "shape", file, tensor), width, file, tensor)};
  const json& offsets = field(value, "data_offsets", file, tensor);
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    fail(file, tensor, "data_offsets are not two non-negative integers: " + excerpt(offsets));
  const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
  if (begin > end) fail(file, tensor, "data_offsets run backwards: " + excerpt(offsets));
  if (end > data_bytes)
    fail(file, tensor,
         "data_offsets " + excerpt(offsets) + " exceed the " + std::to_string(data_bytes) + " bytes of data");
  const auto bytes = static_cast<std::uint64_t>(count(spec.shape)) * static_cast<std::uint64_t>(width);
  if (end - begin != bytes)
    fail(file, tensor,
         std::to_string(end - begin) + " bytes instead of " + std::to_string(bytes) + " for " + to_string(spec));
  return {tensor, std::move(spec), begin, end};
}

// The tensors must tile the data: no byte is shared, none belongs to nobody.
void require_tiling(std::vector<Entry>& entries, std::uint64_t data_bytes, const std::string& file) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t at = 0;
  for (const Entry& e : entries) {
    if (e.begin < at)
      fail(file, e.name, "overlaps another: begins at " + std::to_string(e.begin) + ", not " + std::to_string(at));
    if (e.begin > at)
      fail(file, e.name, "leaves a gap: begins at " + std::to_string(e.begin) + ", not " + std::to_string(at));
    at = e.end;
  }
  if (at != data_bytes) fail(file, std::to_string(data_bytes - at) + " bytes after the last tensor belong to none");
}

void check_metadata(const json& metadata, const std::string& file) {
  if (!metadata.is_object()) fail(file, "__metadata__ is not an object: " + excerpt(metadata));
  for (const auto& [key, value] : metadata.items())
    if (!value.is_string()) fail(file, "__metadata__ entry \"" + key + "\" is not a string: " + excerpt(value));
}

Tensor tensor_of(const Entry& e, const char* data, const std::string& file) {
  const std::uint64_t bytes = e.end - e.begin;
  if (e.spec.dtype == Dtype::boolean)
    for (std::uint64_t i = 0; i < bytes; ++i)
      if (const auto byte = static_cast<unsigned char>(data[e.begin + i]); byte > 1)
        fail(file, e.name, "bool element " + std::to_string(i) + " is " + std::to_string(byte) + ", not 0 or 1");
  Tensor t(e.spec);
  if (bytes) std::memcpy(t.write<char>(), data + e.begin, bytes);
  return t;
}

std::vector<Entry> read_header(const std::string& bytes, std::uint64_t length, const std::string& file) {
  const std::string_view text(bytes.data() + kPrefix, length);
  const json header = parse_strict(text, file, kHeaderLimits);
  if (!header.is_object()) fail(file, "the header is not an object: " + excerpt(header));
  const std::uint64_t data_bytes = bytes.size() - kPrefix - length;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items())
    if (name == kMetadata)
      check_metadata(value, file);
    else
      entries.push_back(entry_of(name, value, data_bytes, file));
  require_tiling(entries, data_bytes, file);
  return entries;
}

}  // namespace

TensorMap parse_safetensors(const std::string& bytes, const std::string& name) {
  const std::uint64_t length = header_length(bytes, name);
  TensorMap tensors;
  for (const Entry& e : read_header(bytes, length, name))
    tensors.emplace(e.name, tensor_of(e, bytes.data() + kPrefix + length, name));
  return tensors;
}

TensorMap read_safetensors(const std::string& path) { return parse_safetensors(read_file(path), path); }

void write_safetensors(const std::string& path, const TensorMap& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::string data;
  for (const auto& [name, t] : tensors) {
    if (name == kMetadata) fail(path, "a tensor cannot be named __metadata__");
    const Tensor dense = contiguous(t);
    const auto bytes = static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes);
    header[name] = {{"dtype", info(dense.dtype()).tag},
                    {"shape", dense.shape()},
                    {"data_offsets", {data.size(), data.size() + bytes}}};
    if (bytes) data.append(dense.read<char>(), bytes);
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception& e) {
    fail(path, std::string("a name is not UTF-8: ") + e.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string prefix(kPrefix, '\0');
  std::memcpy(prefix.data(), &length, kPrefix);
  write_file(path, prefix + text + data);
}

}  // namespace plumb
