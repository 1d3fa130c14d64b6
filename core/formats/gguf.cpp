#include "core/formats/gguf.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "core/formats/bytes.h"
#include "core/formats/stored.h"
#include "core/strict_json.h"
#include "core/text.h"

namespace plumb::formats {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kAlignment = 32;
constexpr std::uint32_t kMaxAxes = 4;
constexpr std::uint64_t kMaxEntries = 10'000'000, kMaxName = 65'535;
constexpr std::size_t kMaxPrinted = 64;  // elements of a list in metadata
constexpr int kMaxDepth = 8;
constexpr std::string_view kAlignmentKey = "general.alignment";

struct Kept {
  std::uint32_t type;
  Dtype dtype;
};
constexpr Kept kKept[] = {{0, Dtype::f32},  {1, Dtype::f16},  {24, Dtype::i8},  {25, Dtype::i16},
                          {26, Dtype::i32}, {27, Dtype::i64}, {28, Dtype::f64}, {30, Dtype::bf16}};

std::optional<Dtype> dtype_of(std::uint32_t type) {
  for (const Kept& k : kKept)
    if (k.type == type) return k.dtype;
  return std::nullopt;
}

std::optional<std::uint32_t> type_of(Dtype dtype) {
  for (const Kept& k : kKept)
    if (k.dtype == dtype) return k.type;
  return std::nullopt;
}

std::string text_in(Cursor& in, std::uint64_t most, const char* what) {
  const auto length = in.number<std::uint64_t>(what);
  if (length > most) fail(in.file(), std::string(what) + " of " + std::to_string(length) + " bytes");
  return in.text(length, what);
}

// Metadata as texts; a number as it would be printed, a list in brackets, a long one cut.
class ValueReader {
 public:
  explicit ValueReader(Cursor& in) : in_(in) {}

  std::string value(std::uint32_t type, int depth = 0) {
    switch (type) {
      case 0: return integer<std::uint8_t>();
      case 1: return integer<std::int8_t>();
      case 2: return integer<std::uint16_t>();
      case 3: return integer<std::int16_t>();
      case 4: return integer<std::uint32_t>();
      case 5: return integer<std::int32_t>();
      case 6: return shortest(static_cast<double>(in_.number<float>("a metadata value")));
      case 7: return truth();
      case 8: return text_in(in_, std::numeric_limits<std::uint32_t>::max(), "a metadata text");
      case 9: return list(depth);
      case 10: return integer<std::uint64_t>();
      case 11: return integer<std::int64_t>();
      case 12: return shortest(in_.number<double>("a metadata value"));
      default: fail(in_.file(), "metadata of type " + std::to_string(type) + ", of which there is none");
    }
  }

 private:
  template <class T>
  std::string integer() {
    return std::to_string(in_.number<T>("a metadata value"));
  }
  std::string truth() {
    const auto byte = in_.number<std::uint8_t>("a metadata value");
    if (byte > 1) fail(in_.file(), "a truth value of metadata is " + std::to_string(byte) + ", not 0 or 1");
    return byte == 1 ? "true" : "false";
  }
  std::string list(int depth) {
    const auto type = in_.number<std::uint32_t>("a metadata list");
    const auto length = in_.number<std::uint64_t>("a metadata list");
    if (depth >= kMaxDepth) fail(in_.file(), "lists of metadata lie deeper than " + std::to_string(kMaxDepth));
    std::string text = "[";
    for (std::uint64_t i = 0; i < length; ++i) {
      const std::string next = value(type, depth + 1);
      if (i < kMaxPrinted) text += (i > 0 ? "," : "") + next;
      if (i == kMaxPrinted) text += ",...";
    }
    return text + "]";
  }

  Cursor& in_;
};

struct Entry {
  std::string name;
  std::uint32_t type = 0;
  Shape shape;
  std::uint64_t begins = 0, bytes = 0;  // of the data; 0 where their size is not known
};

std::uint64_t bytes_of(const Entry& e, Dtype dtype, const ByteSource& file) {
  if (overflows(e.shape, info(dtype).bytes))
    fail(file, "tensor " + excerpt(e.name) + ": the shape " + to_string(e.shape) + " overflows");
  return static_cast<std::uint64_t>(count(e.shape)) * static_cast<unsigned>(info(dtype).bytes);
}

Entry entry(Cursor& in) {
  Entry e;
  e.name = text_in(in, kMaxName, "the name of a tensor");
  const auto axes = in.number<std::uint32_t>("a tensor's entry");
  if (axes > kMaxAxes)
    fail(in.file(), "tensor " + excerpt(e.name) + ": " + std::to_string(axes) + " axes, of at most 4");
  for (std::uint32_t axis = 0; axis < axes; ++axis) {
    const auto size = in.number<std::uint64_t>("a tensor's entry");
    if (size > std::uint64_t{INT64_MAX})
      fail(in.file(), "tensor " + excerpt(e.name) + ": a size of " + std::to_string(size) + " overflows");
    e.shape.insert(e.shape.begin(), static_cast<std::int64_t>(size));
  }
  e.type = in.number<std::uint32_t>("a tensor's entry");
  e.begins = in.number<std::uint64_t>("a tensor's entry");
  if (const auto dtype = dtype_of(e.type)) e.bytes = bytes_of(e, *dtype, in.file());
  return e;
}

struct Header {
  std::map<std::string, std::string> metadata;
  std::vector<Entry> entries;
  std::uint64_t alignment = kAlignment, data = 0;
};

void read_metadata(Cursor& in, std::uint64_t how_many, Header& header) {
  for (std::uint64_t i = 0; i < how_many; ++i) {
    const std::string key = text_in(in, kMaxName, "a metadata key");
    const auto type = in.number<std::uint32_t>("a metadata value");
    const std::string value = ValueReader(in).value(type);
    if (!header.metadata.emplace(key, value).second) fail(in.file(), "metadata " + excerpt(key) + " twice");
    if (key != kAlignmentKey) continue;
    header.alignment = type == 4 ? std::stoull(value) : 0;
    if (header.alignment == 0 || (header.alignment & (header.alignment - 1)) != 0 || header.alignment > 1 << 20)
      fail(in.file(), std::string(kAlignmentKey) + " is " + excerpt(value) + ", no power of two");
  }
}

Header read_header(Cursor& in) {
  if (in.text(kMagic.size(), "the magic of a GGUF file") != kMagic) fail(in.file(), "is no GGUF file");
  const auto version = in.number<std::uint32_t>("the version");
  if (version != 2 && version != 3)
    fail(in.file(), version == 0x03000000
                        ? "is a big-endian GGUF file"
                        : "is a GGUF file of version " + std::to_string(version) + "; read are 2 and 3");
  const auto tensors = in.number<std::uint64_t>("the header"), metadata = in.number<std::uint64_t>("the header");
  if (tensors > kMaxEntries || metadata > kMaxEntries)
    fail(in.file(),
         "a header of " + std::to_string(tensors) + " tensors and " + std::to_string(metadata) + " metadata");
  Header header;
  read_metadata(in, metadata, header);
  for (std::uint64_t i = 0; i < tensors; ++i) header.entries.push_back(entry(in));
  header.data = (in.at() + header.alignment - 1) / header.alignment * header.alignment;
  return header;
}

// No tensor shares a byte with another, or lies outside the file, or at an odd place.
void require_places(const Header& header, ByteSource& file) {
  std::vector<const Entry*> placed;
  for (const Entry& e : header.entries) placed.push_back(&e);
  std::sort(placed.begin(), placed.end(), [](const Entry* a, const Entry* b) {
    return a->begins != b->begins ? a->begins < b->begins : a->bytes < b->bytes;
  });
  std::uint64_t free = 0;
  for (const Entry* e : placed) {
    const std::string who = "tensor " + excerpt(e->name) + ": ";
    if (e->begins % header.alignment != 0)
      fail(file,
           who + "begins at " + std::to_string(e->begins) + ", no multiple of " + std::to_string(header.alignment));
    if (e->begins < free) fail(file, who + "overlaps another");
    const std::uint64_t most = UINT64_MAX - header.data;
    if (e->begins > most || e->bytes > most - e->begins) fail(file, who + "lies outside the file");
    free = e->begins + e->bytes;
    if (file.reach(header.data + free) < header.data + free) fail(file, who + "truncated: its data end early");
  }
}

}  // namespace

Contents read_gguf(ByteSource file) {
  Cursor in(file);
  Header header = read_header(in);
  require_places(header, file);
  Contents all;
  for (const Entry& e : header.entries) {
    if (all.tensors.contains(e.name) || all.unread.contains(e.name))
      fail(file, "two tensors are called " + excerpt(e.name));
    if (!dtype_of(e.type)) {
      all.unread[e.name] = "elements of ggml type " + std::to_string(e.type) + ", for which there is no dtype";
      continue;
    }
    const Tensor tensor(Spec{*dtype_of(e.type), e.shape});
    if (e.bytes > 0) file.read(header.data + e.begins, e.bytes, tensor.write<char>());
    all.tensors.emplace(e.name, tensor);
  }
  all.metadata = std::move(header.metadata);
  all.metadata.erase(std::string(kAlignmentKey));
  return all;
}

std::string gguf_refuses(const Spec& spec) {
  if (!type_of(spec.dtype)) return std::string(name(spec.dtype)) + " has no type in ggml";
  if (spec.shape.empty() || spec.shape.size() > kMaxAxes)
    return std::to_string(spec.shape.size()) + " axes, of one to four";
  return std::find(spec.shape.begin(), spec.shape.end(), 0) != spec.shape.end() ? "no elements" : "";
}

void write_gguf(Output& out, const Contents& contents) {
  std::string bytes(kMagic);
  const auto text = [&](const std::string& value) {
    append(bytes, std::uint64_t{value.size()});
    bytes += value;
  };
  append(bytes, kVersion);
  append(bytes, std::uint64_t{contents.tensors.size()});
  append(bytes, std::uint64_t{contents.metadata.size()});
  for (const auto& [key, value] : contents.metadata) {
    text(key);
    append<std::uint32_t>(bytes, 8);
    text(value);
  }
  const auto padded = [](std::uint64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; };
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    text(name);
    append(bytes, static_cast<std::uint32_t>(tensor.rank()));
    for (int axis = tensor.rank() - 1; axis >= 0; --axis) append(bytes, std::uint64_t(tensor.dim(axis)));
    append(bytes, *type_of(tensor.dtype()));
    append(bytes, at);
    at += padded(static_cast<std::uint64_t>(tensor.size() * info(tensor.dtype()).bytes));
  }
  bytes.resize(padded(bytes.size()), '\0');
  out.write(bytes);
  for (const auto& [name, tensor] : contents.tensors) {
    const Tensor dense = contiguous(tensor);
    const std::string_view data = plumb::bytes_of(dense);
    out.write(data);
    out.write(std::string(static_cast<std::size_t>(padded(data.size()) - data.size()), '\0'));
  }
}

}  // namespace plumb::formats
