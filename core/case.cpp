#include "core/case.h"

#include <algorithm>
#include <cstring>

#include "core/fill.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

constexpr std::string_view kLayoutNames[] = {"row", "transposed", "stepped", "offset", "reversed", "broadcast", "padded"};

std::string print(const Shape& shape) {
  std::string s;
  for (const std::int64_t d : shape) s += (s.empty() ? "" : "x") + std::to_string(d);
  return s.empty() ? "s" : s;
}

std::string print(const std::optional<Input>& in) {
  if (!in) return "none";
  return std::string(name(in->dtype)) + "." + print(in->shape) + "." + std::string(name(in->layout)) + "." + in->fill;
}

// Storage geometry of a layout: what to allocate, and how to look at it.
struct Geometry {
  Shape stored;
  Strides strides;
  std::int64_t offset = 0;
};

Geometry geometry(const Shape& shape, Layout layout) {
  Geometry g{shape, row_major(shape), 0};
  const std::size_t rank = shape.size();
  if (layout == Layout::offset) {
    g.stored.insert(g.stored.begin(), 2);
    g.offset = count(shape);
    return g;
  }
  if (rank == 0 || count(shape) == 0) return g;
  const auto last = rank - 1;
  switch (layout) {
    case Layout::row:
    case Layout::offset: break;
    case Layout::transposed:
      std::reverse(g.stored.begin(), g.stored.end());
      g.strides = row_major(g.stored);
      std::reverse(g.strides.begin(), g.strides.end());
      break;
    case Layout::stepped:
      g.stored[last] = 2 * shape[last] + 1;
      g.strides = row_major(g.stored);
      g.strides[last] = 2;
      g.offset = 1;
      break;
    case Layout::reversed:
      g.strides[last] = -1;
      g.offset = shape[last] - 1;
      break;
    case Layout::broadcast:
      g.stored[0] = 1;
      g.strides[0] = 0;
      break;
    case Layout::padded:
      g.stored[last] += 3;
      g.strides = row_major(g.stored);
      g.offset = 1;
      break;
  }
  return g;
}

Tensor laid_out(const Input& in) {
  const Geometry g = geometry(in.shape, in.layout);
  return Tensor(Spec{in.dtype, g.stored}).view(in.shape, g.strides, g.offset);
}

// Copies dense values into a view; the gaps between its elements hold the guard pattern.
void scatter(const Tensor& values, const Tensor& view) {
  const auto bytes = static_cast<std::size_t>(info(view.dtype()).bytes);
  std::byte* base = view.storage().host_write();
  std::memset(base, kGuardByte, view.storage().bytes());
  std::byte* to = view.write<std::byte>();
  const std::byte* from = values.read<std::byte>();
  std::vector<std::int64_t> index(view.shape().size(), 0);
  for (std::int64_t i = 0, n = view.size(); i < n; ++i) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * view.strides()[d];
    std::memcpy(to + at * static_cast<std::int64_t>(bytes), from + i * static_cast<std::int64_t>(bytes), bytes);
    for (std::size_t d = index.size(); d-- > 0 && ++index[d] == view.shape()[d];) index[d] = 0;
  }
}

Tensor realize(const Input& in, std::uint64_t key) {
  if (in.layout == Layout::row) return fill({in.dtype, in.shape}, in.fill, key);
  Shape drawn = in.shape;
  const bool repeated = in.layout == Layout::broadcast && !drawn.empty() && count(drawn) > 0;
  if (repeated) drawn[0] = 1;
  Tensor values = fill({in.dtype, drawn}, in.fill, key);
  const Tensor view = laid_out(in);
  if (repeated) {  // the view has one stored row: writing it once writes all
    scatter(values, view.view(drawn, view.strides()));
    return view;
  }
  if (view.size() > 0) scatter(values, view);
  return view;
}

[[noreturn]] void bad(std::string_view text, const std::string& why) {
  throw Error("case", Reason::query, "'" + std::string(text) + "': " + why);
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::int64_t parse_size(std::string_view text) {
  const Attr a = parse_attr(text);
  const auto* v = a.get<std::int64_t>();
  if (!v || *v < 0) bad(text, "is not a size");
  return *v;
}

Shape parse_shape(std::string_view text) {
  if (text == "s") return {};
  Shape shape;
  for (const auto part : split(text, 'x')) shape.push_back(parse_size(part));
  return shape;
}

std::optional<Input> parse_input(std::string_view text) {
  if (text == "none") return std::nullopt;
  auto parts = split(text, '.');
  if (parts.size() < 4) bad(text, "an input is dtype.shape.layout.fill");
  const auto dtype = dtype_named(parts[0]);
  if (!dtype) bad(parts[0], "no such dtype");
  const auto layout = std::find(std::begin(kLayoutNames), std::end(kLayoutNames), parts[2]);
  if (layout == std::end(kLayoutNames)) bad(parts[2], "no such layout");
  const auto fill = text.substr(static_cast<std::size_t>(parts[3].data() - text.data()));
  return Input{*dtype, parse_shape(parts[1]), static_cast<Layout>(layout - std::begin(kLayoutNames)), std::string(fill)};
}

Attrs parse_attrs(std::string_view text) {
  Attrs attrs;
  if (text == "-") return attrs;
  for (const auto item : split(text, ',')) {
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) bad(item, "an attribute is name=value");
    attrs.set(item.substr(0, equals), parse_attr(item.substr(equals + 1)));
  }
  return attrs;
}

}  // namespace

std::string_view name(Layout l) { return kLayoutNames[static_cast<std::size_t>(l)]; }

std::string_view name(Budget b) { return b == Budget::smoke ? "smoke" : b == Budget::ci ? "ci" : "nightly"; }

std::string id(const Op& op, const Case& c) {
  std::string s = std::string(op.name) + "/";
  for (std::size_t i = 0; i < c.in.size(); ++i) s += (i > 0 ? "+" : "") + print(c.in[i]);
  if (c.in.empty()) s += "-";
  return s + "/" + to_string(c.attrs);
}

Parsed parse_case(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 3) bad(text, "a case is OP/INPUTS/ATTRIBUTES");
  Parsed p{&find_op(parts[0]), {}};
  if (parts[1] != "-")
    for (const auto in : split(parts[1], '+')) p.call.in.push_back(parse_input(in));
  p.call.attrs = parse_attrs(parts[2]);
  return p;
}

std::vector<Tensor> realize(const Op& op, const Case& c, std::uint64_t salt) {
  const std::uint64_t key = hash(id(op, c)) + salt * 0x9e3779b97f4a7c15;
  std::vector<Tensor> in;
  for (const auto& i : c.in) in.push_back(i ? realize(*i, draw(key, in.size())) : Tensor());
  return in;
}

std::vector<Tensor> hollow(const Case& c) {
  std::vector<Tensor> in;
  for (const auto& i : c.in) in.push_back(i ? laid_out(*i) : Tensor());
  return in;
}

}  // namespace plumb
