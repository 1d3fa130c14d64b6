#include "core/formats/npy.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/dtype.h"
#include "core/formats/bytes.h"
#include "core/formats/stored.h"
#include "core/strict_json.h"

namespace plumb::formats {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;
constexpr std::uint64_t kMaxHeader = 1 << 20;
constexpr std::size_t kMaxAxes = 64;

struct Kept {
  std::string_view descr;  // without its byte order
  Dtype dtype;
};
constexpr Kept kKept[] = {{"b1", Dtype::boolean}, {"u1", Dtype::u8},  {"u2", Dtype::u16}, {"u4", Dtype::u32},
                          {"u8", Dtype::u64},     {"i1", Dtype::i8},  {"i2", Dtype::i16}, {"i4", Dtype::i32},
                          {"i8", Dtype::i64},     {"f2", Dtype::f16}, {"f4", Dtype::f32}, {"f8", Dtype::f64},
                          {"c8", Dtype::c64},     {"V2", Dtype::bf16}};

struct Header {
  std::string descr;
  bool column_major = false;
  Shape shape;
};

// A Python dictionary of a text, a truth value and a tuple of whole numbers: what numpy.save writes, and no more.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const ByteSource& file) : left_(text), file_(file) {}

  Header read() {
    Header header;
    take('{');
    while (!maybe('}')) {
      const std::string key = text();
      take(':');
      if (!seen(key)) wrong("the key " + excerpt(key) + " twice");
      if (key == "descr") header.descr = descr();
      else if (key == "fortran_order") header.column_major = truth();
      else if (key == "shape") header.shape = shape();
      else wrong("the key " + excerpt(key));
      if (!maybe(',')) {
        take('}');
        break;
      }
    }
    if (keys_.size() != 3) wrong("only " + std::to_string(keys_.size()) + " of descr, fortran_order and shape");
    if (!blank()) wrong(excerpt(std::string(left_)) + " behind it");
    return header;
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const { fail(file_, "the header of a .npy file has " + what); }

  bool blank() {
    left_.remove_prefix(std::min(left_.find_first_not_of(" \t\n"), left_.size()));
    return left_.empty();
  }
  bool maybe(char wanted) {
    if (blank() || left_.front() != wanted) return false;
    left_.remove_prefix(1);
    return true;
  }
  void take(char wanted) {
    if (!maybe(wanted)) wrong(found() + " instead of " + wanted);
  }
  std::string found() const { return left_.empty() ? "an end" : excerpt(std::string(left_.substr(0, 20))); }
  bool seen(const std::string& key) {
    if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) return false;
    keys_.push_back(key);
    return true;
  }

  std::string text() {
    const char quote = blank() ? '\0' : left_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? left_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) wrong(found() + " instead of a text");
    const std::string value(left_.substr(1, end - 1));
    left_.remove_prefix(end + 1);
    return value;
  }
  std::string descr() {
    if (!blank() && left_.front() == '[') wrong("elements of several fields, for which there is no dtype");
    return text();
  }
  bool truth() {
    blank();
    for (const std::string_view word : {"True", "False"})
      if (left_.starts_with(word)) {
        left_.remove_prefix(word.size());
        return word == "True";
      }
    wrong(found() + " instead of True or False");
  }
  Shape shape() {
    Shape sizes;
    take('(');
    while (!maybe(')')) {
      sizes.push_back(size());
      if (sizes.size() > kMaxAxes) wrong("a shape of more than " + std::to_string(kMaxAxes) + " axes");
      if (!maybe(',')) {
        if (sizes.size() == 1) wrong("a number in brackets instead of a shape");
        take(')');
        break;
      }
    }
    return sizes;
  }
  std::int64_t size() {
    blank();
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), value);
    if (error != std::errc() || value < 0) wrong(found() + " instead of a size");
    left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
    if (left_.starts_with('L')) left_.remove_prefix(1);  // as Python 2 wrote it
    return value;
  }

  std::string_view left_;
  const ByteSource& file_;
  std::vector<std::string> keys_;
};

struct Element {
  Dtype dtype;
  bool swapped;
};

Element element_of(const std::string& descr, const ByteSource& file) {
  const char order = descr.empty() ? '\0' : descr.front();
  if (std::string_view("<>|=").find(order) != std::string_view::npos)
    for (const Kept& k : kKept)
      if (descr.substr(1) == k.descr && (order != '|' || info(k.dtype).bytes == 1 || k.dtype == Dtype::bf16))
        return {k.dtype, order == '>' && info(k.dtype).bytes > 1};
  fail(file, "there is no dtype for elements of type " + excerpt(descr));
}

std::uint64_t bytes_of(const Header& h, Dtype dtype, const ByteSource& file) {
  if (overflows(h.shape, info(dtype).bytes)) fail(file, "the shape " + to_string(h.shape) + " overflows");
  return static_cast<std::uint64_t>(count(h.shape)) * static_cast<unsigned>(info(dtype).bytes);
}

std::string header_text(Cursor& in) {
  const std::string magic = in.text(kMagic.size(), "the magic of a .npy file");
  if (magic != kMagic) fail(in.file(), "is no .npy file");
  const auto major = in.number<std::uint8_t>("the version"), minor = in.number<std::uint8_t>("the version");
  if (major < 1 || major > 3 || minor != 0)
    fail(in.file(), "is a .npy file of version " + std::to_string(major) + "." + std::to_string(minor) +
                        "; read are 1.0, 2.0 and 3.0");
  const std::uint64_t length = major == 1 ? in.number<std::uint16_t>("the length of the header")
                                          : in.number<std::uint32_t>("the length of the header");
  if (length > kMaxHeader)
    fail(in.file(),
         "a header of " + std::to_string(length) + " bytes is over the limit of " + std::to_string(kMaxHeader));
  return in.text(length, "the header");
}

void swap_bytes(char* data, std::uint64_t bytes, int width) {
  const auto step = static_cast<std::uint64_t>(width);
  for (std::uint64_t at = 0; at < bytes; at += step) std::reverse(data + at, data + at + step);
}

// The data lie with the first axis fastest: a view of an array with its axes in the other order.
Tensor turned(const Tensor& stored, const Shape& shape) {
  Strides strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = 0; axis < shape.size(); stride *= std::max<std::int64_t>(1, shape[axis++]))
    strides[axis] = stride;
  return stored.view(shape, strides);
}

}  // namespace

Tensor read_npy(ByteSource& file) {
  Cursor in(file);
  const std::string text = header_text(in);
  const Header header = HeaderReader(text, file).read();
  const Element element = element_of(header.descr, file);
  const std::uint64_t bytes = bytes_of(header, element.dtype, file);
  const std::uint64_t there = file.reach(in.at() + std::min(bytes, UINT64_MAX - in.at() - 1) + 1) - in.at();
  if (there != bytes)
    fail(file, (there < bytes ? "truncated: " + std::to_string(there) : "more than " + std::to_string(bytes)) +
                   " bytes of data instead of " + std::to_string(bytes) + " for " +
                   to_string(Spec{element.dtype, header.shape}));
  Shape stored = header.shape;
  if (header.column_major) std::reverse(stored.begin(), stored.end());
  const Tensor tensor(Spec{element.dtype, stored});
  if (bytes > 0) {
    char* data = tensor.write<char>();
    in.read(bytes, data, "the data");
    if (element.swapped) swap_bytes(data, bytes, info(element.dtype).bytes / (is_complex(element.dtype) ? 2 : 1));
    if (element.dtype == Dtype::boolean)
      if (const std::string wrong = no_truth(data, bytes); !wrong.empty()) fail(file, wrong);
  }
  return header.column_major ? turned(tensor, header.shape) : tensor;
}

std::string npy_header(const Spec& spec) {
  const auto kept =
      std::find_if(std::begin(kKept), std::end(kKept), [&](const Kept& k) { return k.dtype == spec.dtype; });
  std::string text = "{'descr': '" + std::string(info(spec.dtype).bytes == 1 ? "|" : "<") + std::string(kept->descr) +
                     "', 'fortran_order': False, 'shape': (";
  for (std::size_t axis = 0; axis < spec.shape.size(); ++axis)
    text += (axis > 0 ? ", " : "") + std::to_string(spec.shape[axis]);
  text += spec.shape.size() == 1 ? ",), }" : "), }";
  const std::size_t begins = kMagic.size() + 4;
  const std::size_t whole = (begins + text.size() + kAlignment) / kAlignment * kAlignment;
  text.resize(whole - begins - 1, ' ');
  text += '\n';
  std::string bytes(kMagic);
  append<std::uint8_t>(bytes, 1);
  append<std::uint8_t>(bytes, 0);
  append(bytes, static_cast<std::uint16_t>(text.size()));
  return bytes + text;
}

void write_npy(Output& out, const Tensor& tensor) {
  const Tensor dense = contiguous(tensor);
  out.write(npy_header(dense.spec()));
  out.write(plumb::bytes_of(dense));
}

}  // namespace plumb::formats
