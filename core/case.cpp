#include "core/case.h"

#include "core/budget.h"
#include "core/fill.h"
#include "core/layout.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

std::string print(const Shape& shape) {
  std::string s;
  for (const std::int64_t d : shape) s += (s.empty() ? "" : "x") + std::to_string(d);
  return s.empty() ? "s" : s;
}

std::string print(const std::optional<Input>& in) {
  if (!in) return "none";
  return std::string(name(in->dtype)) + "." + print(in->shape) + "." + std::string(name(in->layout)) + "." + in->fill;
}

// Values are drawn in a wide type and then rounded; a broadcast axis is drawn once.
Tensor realize(const Op& op, const Input& in, std::uint64_t key) try {
  Shape drawn = in.shape;
  const bool repeated = in.layout == Layout::broadcast && !drawn.empty() && count(drawn) > 0;
  if (repeated) drawn[0] = 1;
  const double bytes = static_cast<double>(count(drawn)) * (sizeof(double) + info(in.dtype).bytes);
  require_memory(op.name, "the values of an input " + to_string(Spec{in.dtype, in.shape}), bytes);
  const Tensor values = fill({in.dtype, drawn}, in.fill, key);
  if (!repeated) return lay_out(values, in.layout);
  Strides strides = row_major(drawn);
  strides[0] = 0;
  return lay_out(values.view(in.shape, strides), in.layout);
} catch (const std::bad_alloc&) {
  throw Error(op.name, Reason::memory, "the values of an input " + to_string(Spec{in.dtype, in.shape}));
} catch (const Error& e) {
  rethrow_named(op.name, "", e);
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
  const auto layout = layout_named(parts[2]);
  if (!layout) bad(parts[2], "no such layout");
  const auto fill = text.substr(static_cast<std::size_t>(parts[3].data() - text.data()));
  return Input{*dtype, parse_shape(parts[1]), *layout, std::string(fill)};
}

// What has no '=' belongs to the value before it: the subscripts of a product of two operands hold a comma.
Attrs parse_attrs(std::string_view text) {
  Attrs attrs;
  if (text == "-") return attrs;
  const auto items = split(text, ',');
  for (std::size_t i = 0; i < items.size();) {
    const auto equals = items[i].find('=');
    if (equals == std::string_view::npos) bad(items[i], "an attribute is name=value");
    const std::string_view name = items[i].substr(0, equals);
    if (attrs.find(name)) bad(text, "'" + std::string(name) + "' is there twice");
    std::string value(items[i].substr(equals + 1));
    while (++i < items.size() && items[i].find('=') == std::string_view::npos) value.append(",").append(items[i]);
    attrs.set(name, parse_attr(value));
  }
  return attrs;
}

}  // namespace

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
  return {&find_op(parts[0]), parse_call(text.substr(parts[0].size() + 1))};
}

Case parse_call(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 2) bad(text, "a call is INPUTS/ATTRIBUTES");
  Case call;
  if (parts[0] != "-")
    for (const auto in : split(parts[0], '+')) call.in.push_back(parse_input(in));
  call.attrs = parse_attrs(parts[1]);
  return call;
}

std::vector<Tensor> realize(const Op& op, const Case& c, std::uint64_t salt) {
  // Drawn, not added to: input i + 1 of one data set must not be input i of the next.
  const std::uint64_t key = salt == 0 ? hash(id(op, c)) : draw(hash(id(op, c)), salt);
  std::vector<Tensor> in;
  for (const auto& i : c.in) in.push_back(i ? realize(op, *i, draw(key, in.size())) : Tensor());
  return in;
}

std::vector<Tensor> hollow(const Case& c) {
  std::vector<Tensor> in;
  for (const auto& i : c.in) in.push_back(i ? blank({i->dtype, i->shape}, i->layout) : Tensor());
  return in;
}

}  // namespace plumb
