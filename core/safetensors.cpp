#include "core/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/formats/stored.h"
#include "core/strict_json.h"

namespace plumb {
namespace {

using nlohmann::json;
using Entry = Container::Entry;
static_assert(std::endian::native == std::endian::little, "data is copied as it lies in the file");

constexpr std::size_t kPrefix = 8;                 // the header's length
constexpr std::uint64_t kMaxHeader = 100'000'000;  // as other readers have it
constexpr std::size_t kMaxAxes = 64;
constexpr std::string_view kMetadata = "__metadata__";

// Floats of the file format for which there is no dtype. Codes of less than a byte lie one behind the other, the first
// in the lowest bits.
struct CodeType {
  std::string_view tag;
  int bits;
};
constexpr CodeType kCodeTypes[] = {{"F8_E4M3", 8},     {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
                                   {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4}};

int code_bits(std::string_view tag) {
  for (const CodeType& t : kCodeTypes)
    if (t.tag == tag) return t.bits;
  return 0;
}

[[noreturn]] void fail_in(const std::string& file, const std::string& what) {
  throw Error("safetensors", Reason::file, file + ": " + what);
}

// What other files begin with. A safetensors file has the length of its header there.
struct Kind {
  std::string_view begins, what;
};
constexpr Kind kKinds[] = {{"PK\3\4", "a zip archive, as .npz and .pt files are"},
                           {"version ", "a Git LFS pointer: the file itself was not fetched"},
                           {"\x93NUMPY", "a .npy file"},
                           {"\x89HDF", "an HDF5 file"},
                           {"GGUF", "a GGUF file"},
                           {"\x1F\x8B", "compressed by gzip"},
                           {"\x28\xB5\x2F\xFD", "compressed by zstd"},
                           {"\xFD"
                            "7zXZ",
                            "compressed by xz"},
                           {"BZh", "compressed by bzip2"},
                           {"\x80\2", "a pickle"},
                           {"\x7F"
                            "ELF",
                            "a program"},
                           {"<", "a page of HTML or XML"},
                           {"{", "JSON text, such as an index of files"},
                           {"[", "JSON text"}};

// `first` is the length and the first byte of the header.
void require_kind(std::string_view first, std::uint64_t length, const std::string& file) {
  if (first.size() > kPrefix && first.back() == '{' && length <= kMaxHeader) return;
  if (first.size() > 1 && first[1] == '\0') return;  // a length after all
  for (const Kind& k : kKinds)
    if (first.starts_with(k.begins)) fail_in(file, "is no safetensors file but " + std::string(k.what));
}

// Reads the header; what is wrong with one tensor is kept for when it is asked for.
class HeaderReader : public JsonEvents {
 public:
  explicit HeaderReader(std::vector<Entry>& entries) : entries_(entries) {}

  bool is_object() const { return object_; }

  void open(bool list) override {
    if (depth_ == 0) object_ = !list;
    if (depth_ == 1 && list) not_an_object("a list");
    if (depth_ == 2) list_field_ = list && (field_ == Field::shape || field_ == Field::offsets);
    if (depth_ == 2 && !list_field_) mistyped("a list or an object");
    if (depth_ == 3 && list_field_ && items_.size() <= kMaxAxes) items_.push_back("...");
    ++depth_;
  }
  void close() override {
    --depth_;
    if (depth_ == 2 && list_field_) take_list();
  }
  void key(std::string& name) override {
    if (depth_ == 1) begin_entry(name);
    if (depth_ == 2) field_ = field_named(name);
  }
  void text(std::string& value) override {
    if (depth_ == 2 && entry_ && field_ == Field::dtype) {
      entry_->tag = value, entry_->has_tag = true;
      return;
    }
    plain(value);
  }
  void plain(const json& value) override {
    if (depth_ == 1) not_an_object(excerpt(value));
    if (depth_ == 2) mistyped(excerpt(value));
    if (depth_ == 3 && list_field_ && items_.size() <= kMaxAxes) items_.push_back(value);
  }

 private:
  enum class Field { none, dtype, shape, offsets };

  void begin_entry(const std::string& name) {
    entry_ = nullptr;
    if (name == kMetadata) return;
    entries_.emplace_back();
    entry_ = &entries_.back();
    entry_->name = name;
  }
  Field field_named(const std::string& name) const {
    if (!entry_) return Field::none;
    if (name == "dtype") return Field::dtype;
    if (name == "shape") return Field::shape;
    return name == "data_offsets" ? Field::offsets : Field::none;
  }
  void wrong(const std::string& what) {
    if (entry_ && entry_->wrong.empty()) entry_->wrong = what;
  }
  void not_an_object(const std::string& value) { wrong("not an object: " + value); }
  void mistyped(const std::string& value) {
    if (field_ == Field::dtype) wrong("dtype is not a string: " + value);
    if (field_ == Field::shape) wrong("shape is not a list: " + value);
    if (field_ == Field::offsets) wrong("data_offsets are not two non-negative integers: " + value);
  }
  void take_list() {
    if (field_ == Field::shape) take_shape();
    else take_offsets();
    items_.clear();
    list_field_ = false;
  }
  void take_shape() {
    entry_->has_shape = true;
    if (items_.size() > kMaxAxes) return wrong("a shape of more than " + std::to_string(kMaxAxes) + " axes");
    for (const json& size : items_) {
      if (!size.is_number_unsigned()) return wrong("bad size in shape: " + excerpt(size));
      if (size.get<std::uint64_t>() > std::uint64_t{INT64_MAX}) return wrong("shape overflows: " + excerpt(items_));
      entry_->shape.push_back(size.get<std::int64_t>());
    }
  }
  void take_offsets() {
    if (items_.size() != 2 || !items_[0].is_number_unsigned() || !items_[1].is_number_unsigned())
      return wrong("data_offsets are not two non-negative integers: " + excerpt(items_));
    entry_->begin = items_[0].get<std::uint64_t>(), entry_->end = items_[1].get<std::uint64_t>();
    entry_->has_offsets = true;
  }

  std::vector<Entry>& entries_;
  Entry* entry_ = nullptr;
  Field field_ = Field::none;
  std::vector<json> items_;  // of the shape or the offsets that are being read
  int depth_ = 0;
  bool object_ = false, list_field_ = false;
};

std::string offsets_text(const Entry& e) { return "[" + std::to_string(e.begin) + "," + std::to_string(e.end) + "]"; }

// Codes of `bits` each, from the lowest bits of the first byte on, as a byte each.
std::string unpacked(const std::string& packed, std::int64_t codes, int bits) {
  std::string out(static_cast<std::size_t>(codes), '\0');
  unsigned waiting = 0;
  int have = 0;
  std::size_t next = 0;
  for (char& code : out) {
    if (have < bits) waiting |= static_cast<unsigned>(static_cast<unsigned char>(packed[next++])) << have, have += 8;
    code = static_cast<char>(waiting & ((1U << bits) - 1));
    waiting >>= bits, have -= bits;
  }
  return out;
}

}  // namespace

Container::Container(ByteSource source) : source_(std::move(source)) { read_header(); }
Container::Container(const std::string& path) : Container(ByteSource(path)) {}
Container::Container(std::string bytes, std::string name) : Container(ByteSource(std::move(bytes), std::move(name))) {}

void Container::fail(const std::string& what) const { fail_in(name(), what); }
void Container::fail(const Entry& e, const std::string& what) const { fail("tensor " + excerpt(e.name) + ": " + what); }

std::uint64_t Container::header_length() {
  char first[kPrefix + 1];
  const std::uint64_t there = std::min<std::uint64_t>(source_.reach(sizeof first), sizeof first);
  source_.read(0, there, first);
  std::uint64_t length = 0;
  if (there >= kPrefix) std::memcpy(&length, first, kPrefix);
  require_kind({first, static_cast<std::size_t>(there)}, length, name());
  if (there == 0) fail("truncated: there are no bytes");
  if (there < kPrefix) fail("truncated: " + std::to_string(there) + " bytes instead of an 8-byte header length");
  if (length > kMaxHeader) fail("a header of " + std::to_string(length) + " bytes is over the limit of 100000000");
  const std::uint64_t size = source_.reach(kPrefix + length);
  if (length > size - kPrefix)
    fail("truncated: a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(size));
  return length;
}

void Container::read_header() {
  const std::uint64_t length = header_length();
  std::string text(static_cast<std::size_t>(length), '\0');
  source_.read(kPrefix, length, text.data());
  HeaderReader reader(entries_);
  if (text.empty() || std::string_view(" \t\r\n\xEF").find(text.front()) != std::string_view::npos)
    fail("the header does not begin with {");
  read_strict(text, name(), reader);
  if (!reader.is_object()) fail("the header is not an object");
  if (const auto end = text.find_last_not_of(' '); text[end] != '}') fail("the header does not end with } and spaces");
  data_ = kPrefix + length;
  std::uint64_t end = 0;
  for (const Entry& e : entries_) end = std::max(end, e.end);
  const std::uint64_t enough = data_ + std::min(end, std::numeric_limits<std::uint64_t>::max() - data_ - 1) + 1;
  data_bytes_ = source_.reach(enough) - data_;
  require_tiling();
  const auto by_name = [](const Entry& a, const Entry& b) { return a.name < b.name; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), by_name)) std::sort(entries_.begin(), entries_.end(), by_name);
}

// The tensors must tile the data: no byte is shared, none belongs to nobody. One whose place makes no sense may be the
// owner of any byte.
void Container::require_tiling() const {
  std::vector<const Entry*> placed;
  for (const Entry& e : entries_)
    if (e.has_offsets && e.begin <= e.end && e.end <= data_bytes_) placed.push_back(&e);
  const auto by_place = [](const Entry* a, const Entry* b) {
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
  };
  if (!std::is_sorted(placed.begin(), placed.end(), by_place)) std::sort(placed.begin(), placed.end(), by_place);
  const bool all = placed.size() == entries_.size();
  std::uint64_t at = 0;
  for (const Entry* e : placed) {
    if (e->begin < at)
      fail(*e, "overlaps another: begins at " + std::to_string(e->begin) + ", not " + std::to_string(at));
    if (e->begin > at && all)
      fail(*e, "leaves a gap: begins at " + std::to_string(e->begin) + ", not " + std::to_string(at));
    at = e->end;
  }
  if (all && at != data_bytes_) fail(std::to_string(data_bytes_ - at) + " bytes after the last tensor belong to none");
}

std::vector<std::string> Container::names() const {
  std::vector<std::string> all;
  for (const Entry& e : entries_) all.push_back(e.name);
  return all;
}

const Entry* Container::find(std::string_view wanted) const {
  const auto before = [](const Entry& e, std::string_view name) { return e.name < name; };
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), wanted, before);
  return found != entries_.end() && found->name == wanted ? &*found : nullptr;
}

const Entry& Container::at(std::string_view wanted) const {
  if (const Entry* e = find(wanted)) return *e;
  fail("no tensor " + excerpt(wanted));
}

bool Container::is_codes(std::string_view wanted) const { return code_bits(at(wanted).tag) > 0; }
std::string_view Container::tag(std::string_view wanted) const { return at(wanted).tag; }

// What is needed of an entry is there, and its bytes are as many as its elements of `bits` take.
void Container::require_bits(const Entry& e, int bits, const std::string& type) const {
  if (!e.wrong.empty()) fail(e, e.wrong);
  if (!e.has_shape) fail(e, "no \"shape\"");
  if (!e.has_offsets) fail(e, "no \"data_offsets\"");
  if (overflows(e.shape, std::max(1, bits / 8))) fail(e, "shape overflows: " + to_string(e.shape));
  if (e.begin > e.end) fail(e, "data_offsets run backwards: " + offsets_text(e));
  if (e.end > data_bytes_)
    fail(e, "data_offsets " + offsets_text(e) + " exceed the " + std::to_string(data_bytes_) + " bytes of data");
  __extension__ using Wider = unsigned __int128;
  const Wider want = static_cast<Wider>(count(e.shape)) * static_cast<unsigned>(bits);
  if (want % 8 != 0) fail(e, to_string(e.shape) + " elements of " + std::to_string(bits) + " bits end within a byte");
  if (want / 8 != e.end - e.begin)
    fail(e, std::to_string(e.end - e.begin) + " bytes instead of " +
                std::to_string(static_cast<std::uint64_t>(want / 8)) + " for " + type + to_string(e.shape));
}

std::string Container::bytes_of(const Entry& e) {
  std::string bytes(static_cast<std::size_t>(e.end - e.begin), '\0');
  source_.read(data_ + e.begin, bytes.size(), bytes.data());
  return bytes;
}

Tensor Container::tensor(std::string_view wanted) {
  const Entry& e = at(wanted);
  if (!e.wrong.empty()) fail(e, e.wrong);
  if (!e.has_tag) fail(e, "no \"dtype\"");
  const int bits = code_bits(e.tag);
  const auto dtype = bits ? Dtype::u8 : dtype_named(e.tag);
  if (!dtype || (!bits && info(*dtype).tag != e.tag)) fail(e, "unknown dtype " + excerpt(e.tag));
  require_bits(e, bits ? bits : 8 * info(*dtype).bytes, bits ? e.tag : std::string(info(*dtype).name));
  Tensor t(Spec{*dtype, e.shape});
  if (t.size() == 0) return t;
  if (bits && bits < 8) {
    const std::string codes = unpacked(bytes_of(e), t.size(), bits);
    std::memcpy(t.write<char>(), codes.data(), codes.size());
    return t;
  }
  char* to = t.write<char>();
  source_.read(data_ + e.begin, e.end - e.begin, to);
  if (*dtype == Dtype::boolean)
    if (const std::string wrong = no_truth(to, e.end - e.begin); !wrong.empty()) fail(e, wrong);
  return t;
}

namespace {

std::string key_text(const std::string& name) {
  try {
    return json(name).dump();
  } catch (const json::exception&) {
    fail_in("output", "the name " + excerpt(name) + " is not UTF-8");
  }
}

TensorMap all_of(Container file) {
  TensorMap tensors;
  for (const std::string& name : file.names()) tensors.emplace(name, file.tensor(name));
  return tensors;
}

}  // namespace

TensorMap parse_safetensors(const std::string& bytes, const std::string& name) { return all_of({bytes, name}); }
TensorMap read_safetensors(const std::string& path) { return all_of(Container(path)); }

void write_safetensors(Output& out, const TensorMap& tensors) {
  std::string text = "{";
  std::uint64_t at = 0;
  std::vector<Tensor> data;
  for (const auto& [name, t] : tensors) {
    if (name == kMetadata) fail_in("output", "a tensor cannot be named __metadata__");
    data.push_back(contiguous(t));
    const std::uint64_t bytes = bytes_of(data.back()).size();
    const nlohmann::ordered_json entry{
        {"dtype", info(t.dtype()).tag}, {"shape", t.shape()}, {"data_offsets", {at, at + bytes}}};
    text += (text.size() > 1 ? "," : "") + key_text(name) + ":" + entry.dump();
    at += bytes;
  }
  text += "}";
  text.resize((text.size() + kPrefix - 1) / kPrefix * kPrefix, ' ');
  const std::uint64_t length = text.size();
  std::string prefix(kPrefix, '\0');
  std::memcpy(prefix.data(), &length, kPrefix);
  out.write(prefix + text);
  for (const Tensor& t : data) out.write(bytes_of(t));
}

void write_safetensors(const std::string& path, const TensorMap& tensors) {
  Output out(path);
  write_safetensors(out, tensors);
  out.commit();
}

}  // namespace plumb
