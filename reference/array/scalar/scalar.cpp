#include "reference/array/scalar/scalar.h"

#include <algorithm>

#include "core/signature.h"

namespace plumb::reference {
namespace {

// @T stands for the types of the row, @S for all of them but f64, @D for where the function is delicate.
constexpr const char* kUnaryCases = R"(
  call   {t}.{s}.{l}.{x}/@A
  from   t=f32 l=row s=5x33 x=special
  smoke  t=@T x={special,int-3}
  smoke  t=@F x=@L             # where the function is delicate
  smoke  t=@T s=4001 x=lanes      # each special value in each lane of 512 bits of halves
  ci     t=@F x={uniform,@D,tiny,huge,subnormal,whole,order} s=3x4x21
  ci     t=@T x=@W s=5x67
  ci     l={@layouts} s=3x4x21
  ci     t=@T l=[transposed,stepped,reversed,broadcast,padded] s=3x4x21
  ci     l={@layouts} s=2x3x2x3x2x3x2x3x2   # more axes than a kernel takes
  ci     t=@H s=65536 x=every      # every number of 16 bits
  # around vector widths, around tiles and around thread grains
  smoke  s={s,0,3x0x2,1,1x1x7} x=uniform
  ci     t=[@E] x=uniform s={1,3,4,8~,16~,31,33,255,1023,1025,32767,32769,70001}
  nightly t=@N s=33554432 x=every-{0..127}   # every f32
)";

constexpr const char* kBinaryCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/@A
  from   t=f32 l=row x=special u={t} r={s} m=row y={x} s=5x33
  smoke  t=@T x={special,int-3}
  smoke  t=@F x,y={@D}            # where the function is delicate
  smoke  t=@T s=4001 x=lanes y=lanes-19   # each special value in each lane of 512 bits of halves
  ci     t=@F x={uniform,tiny,huge,subnormal,whole,order} s=3x4x21
  ci     t=@F x,y={@D} s=3x4x21
  ci     t=@T x=@W s=5x67
  ci     l={@layouts} m={@layouts} s=3x4x5
  ci     t,u={@P} s=3x1 r=5 x=int-3 y={x}   # each type with some others; add has every pair
  from   pairs={s s, s 7, 7 s, 3x1 1x4, 2x3x4x5 4x1, 1x1 2x3, 1 0, 0x3 1x3, 0 s, 5x1x6x1 7x1x8, 64x1 1x65,
         2x1x2x1x2x1x2x1x2 1x3x1x3x1x3x1x3x1}
  smoke  s,r={pairs} x=uniform
  ci     t=[@E] x=uniform r={{s},1} s={1,3,8~,16~,31,33,1023,1025,32767,32769}
)";

void replace(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

// Those of the words of a signature that belong, as a list of a pattern; that of f32 alone where there are none.
template <class F>
std::string list(const std::string& types, F&& belongs) {
  const Signature s = parse_signature("x T[] -> out T[]", "T: " + types);
  std::string text;
  for (const Dtype t : s.rules[0].accepted)
    if (belongs(t)) text += (text.empty() ? "" : ",") + std::string(name(t));
  return text;
}

// Each type with itself, its neighbour and the fifth from it, if what they promote to is one of them.
std::string pairs(const std::string& types) {
  const Signature s = parse_signature("x T[] -> out T[]", "T: " + types);
  const std::vector<Dtype>& all = s.rules[0].accepted;
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const std::size_t apart : {0, 1, 5}) {
      const Dtype t = all[i], u = all[(i + apart) % all.size()];
      if (std::find(all.begin(), all.end(), promote(t, u)) == all.end()) continue;
      text += (text.empty() ? "" : ", ") + std::string(name(t)) + " " + std::string(name(u));
    }
  return text;
}

// A list of a pattern; one value alone is none.
std::string braces(const std::string& values) {
  return values.find(',') == std::string::npos ? values : "{" + values + "}";
}

std::string cases(const char* pattern, const Scalar& line) {
  const std::string in(line.in);
  std::string text = pattern;
  const std::string all = list(in, [](Dtype) { return true; });
  std::string floats = list(in, [](Dtype t) { return is_inexact(t); });
  std::string halves = list(in, [](Dtype t) { return info(t).precision < 16 && is_real(t); });
  const std::string f32 = list(in, [](Dtype t) { return t == Dtype::f32; });
  if (floats.empty()) floats = all.substr(all.rfind(',') + 1);  // the widest whole numbers
  const auto drop = [&](std::string_view begins) {              // a line that nothing is left of
    const std::size_t from = text.find(begins), to = text.find('\n', from);
    if (from != std::string::npos) text.erase(from, to + 1 - from);
  };
  if (halves.empty()) drop("  ci     t=@H");
  if (f32.empty()) drop("  nightly t=@N"), replace(text, "t=f32", "t=" + floats.substr(0, floats.find(',')));
  replace(text, "@T", braces(all)), replace(text, "@E", floats), replace(text, "@F", braces(floats)),
      replace(text, "@H", braces(halves));
  replace(text, "@N", f32), replace(text, "@P", pairs(in)), replace(text, "@D", line.delicate);
  replace(text, "@L", braces(std::string(line.delicate))), replace(text, "@W", line.bits);
  replace(text, "@A", line.attrs.empty() ? "-" : "");
  return text;
}

Cost cost(const Call& c) {
  return {static_cast<double>(count(c.outputs()[0].shape)), input_bytes(c) + output_bytes(c)};
}

Op row(const Scalar& line, const char* pattern) {
  Op op;
  op.name = line.name, op.equation = line.equation, op.meaning = line.meaning, op.attrs = line.attrs;
  op.cases = cases(pattern, line);
  op.cost = cost;
  return op;
}

// "F = float(T)" gives the letter F.
std::string types(const Scalar& line, const std::string& operands) {
  const std::string text = operands + ": " + std::string(line.in);
  return line.out.find('=') == std::string_view::npos ? text : text + "; " + std::string(line.out);
}
std::string result(const Scalar& line) {
  const std::size_t end = line.out.rfind('='), letter = end == std::string_view::npos ? 0 : line.out.rfind(';') + 1;
  if (end == std::string_view::npos) return std::string(line.out);
  return std::string(line.out.substr(line.out.find_first_not_of(' ', letter), 1));
}

std::string bench(const Scalar& line, const char* call) {
  const std::string all = list(std::string(line.in), [](Dtype) { return true; });
  std::string text = call;
  replace(text, "@T", all.find("f32") == std::string::npos ? all.substr(all.rfind(',') + 1) : "f32");
  replace(text, "@A", line.attrs.empty() ? "-" : "");
  return text;
}

}  // namespace

Dtype operand_dtype(const Call& c) {
  if (const Letters::Type* f = c.letters->type('F')) return f->value;
  Dtype t = c.dtype(0);
  for (std::size_t i = 1; i < c.in.size(); ++i) t = promote(t, c.dtype(i));
  return t;
}

Op unary_row(const Scalar& line) {
  Op op = row(line, kUnaryCases);
  op.signature = "x T[*S] -> out " + result(line) + "[*S]";
  op.types = types(line, "T");
  op.bench = bench(line, "  ci     @T.1024x1024.row.uniform/@A\n");
  return op;
}

Op binary_row(const Scalar& line) {
  Op op = row(line, kBinaryCases);
  op.signature = "a T[...], b U[...] -> out " + result(line) + "[...]";
  op.types = types(line, "T, U");
  op.bench = bench(line, "  ci     @T.1024x1024.row.uniform+@T.1024x1024.row.uniform/@A\n");
  return op;
}

}  // namespace plumb::reference
