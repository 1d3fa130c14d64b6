#include "reference/array/scalar/scalar.h"

#include <algorithm>
#include <utility>

#include "core/signature.h"

namespace plumb::reference {
namespace {

// @T stands for the types of the row, @F for the inexact ones (@E in turn), @H for those of 16 bits, @D for where the
// function is delicate (@L alone), @P for pairs of types.
constexpr const char* kUnaryCases = R"(
  call   {t}.{s}.{l}.{x}/{g}
  from   t=f32 l=row s=5x33 x=special g=-
  smoke  t=@T x={special,int-3}
  smoke  t=@F x=@L             # where the function is delicate
  ci     t=@F x={special,@D} s=3x67 g=@G
  smoke  t=@T s=4001 x=lanes      # each special value in each lane of 512 bits of halves
  ci     t=@F x={uniform,@D,tiny,huge,subnormal,whole,order} s=3x4x21
  ci     t=@T x=bits s=5x67
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
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/-
  from   t=f32 l=row x=special u={t} r={s} m=row y={x} s=5x33
  smoke  t=@T x={special,int-3}
  smoke  t=@F x,y={@D}            # where the function is delicate
  smoke  t=@T s=4001 x=lanes y=lanes-19   # each special value in each lane of 512 bits of halves
  ci     t=@F x={uniform,tiny,huge,subnormal,whole,order} s=3x4x21
  ci     t=@F x,y={@D} s=3x4x21
  ci     t=@T x=bits s=5x67
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

// A list of a pattern; one value alone is none.
std::string braces(const std::string& values) {
  return values.find(',') == std::string::npos ? values : "{" + values + "}";
}

template <class F>
std::string list(const std::vector<Dtype>& types, F&& belongs) {
  std::string text;
  for (const Dtype t : types)
    if (belongs(t)) text.append(text.empty() ? "" : ",").append(name(t));
  return text;
}

// Each type with itself, its neighbour and the fifth from it, if what they promote to is one of them.
std::string pairs(const std::vector<Dtype>& all) {
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const std::size_t apart : {0, 1, 5}) {
      const Dtype t = all[i], u = all[(i + apart) % all.size()];
      if (std::find(all.begin(), all.end(), promote(t, u)) == all.end()) continue;
      text.append(text.empty() ? "" : ", ").append(name(t)).append(" ").append(name(u));
    }
  return text;
}

// What stands for the words of a pattern, by the types that a row takes.
struct Words {
  std::string all, floats, halves, f32, pairs;

  explicit Words(std::string_view in)
      : Words(parse_signature("x T[] -> out T[]", "T: " + std::string(in)).rules[0].accepted) {}
  explicit Words(const std::vector<Dtype>& types)
      : all(list(types, [](Dtype) { return true; })),
        floats(list(types, is_inexact)),
        halves(list(types, [](Dtype t) { return info(t).precision < 16 && is_real(t); })),
        f32(list(types, [](Dtype t) { return t == Dtype::f32; })),
        pairs(reference::pairs(types)) {
    if (floats.empty()) floats = name(types.back());  // the widest whole numbers
  }
};

// The pattern without a line that nothing is left of.
void drop(std::string& text, std::string_view begins) {
  const std::size_t from = text.find(begins), to = text.find('\n', from);
  if (from != std::string::npos) text.erase(from, to + 1 - from);
}

std::string cases(const char* pattern, const Scalar& line) {
  const Words words(line.in);
  std::string text = pattern;
  const std::string_view floats = words.floats;
  if (line.given.empty()) drop(text, "  ci     t=@F x={special,@D} s=3x67 g=@G");
  if (words.halves.empty()) drop(text, "  ci     t=@H");
  if (words.f32.empty())
    drop(text, "  nightly t=@N"), replace(text, "t=f32", "t=" + words.floats.substr(0, floats.find(',')));
  const std::string delicate(line.delicate);
  const std::pair<std::string_view, std::string> all[] = {{"@T", braces(words.all)},
                                                          {"@F", braces(words.floats)},
                                                          {"@E", words.floats},
                                                          {"@H", braces(words.halves)},
                                                          {"@N", words.f32},
                                                          {"@P", words.pairs},
                                                          {"@L", braces(delicate)},
                                                          {"@D", delicate},
                                                          {"@G", std::string(line.given)}};
  for (const auto& [word, by] : all) replace(text, word, by);
  return text;
}

Cost cost(const Call& c) {
  return {static_cast<double>(count(c.outputs()[0].shape)), input_bytes(c) + output_bytes(c)};
}

// In the text of a call, % stands for the dtype that is timed.
std::string bench(const char* call, const Scalar& line) {
  const Words words(line.in);
  std::string text = call;
  replace(text, "%", words.f32.empty() ? words.floats : words.f32);
  return text;
}

std::string types(const Scalar& line, const char* operands) {
  std::string text = std::string(operands) + ": " + std::string(line.in);
  if (!line.out.follows.empty()) text.append("; ").append(line.out.follows);
  return text;
}

// Texts are written when they are asked for: whoever looks for another operation makes these rows too.
Op row(const Scalar& line, std::string signature, const char* operands, const char* pattern, const char* timed) {
  Op op;
  op.name = line.name, op.equation = line.equation, op.meaning = line.meaning, op.attrs = line.attrs;
  op.signature = std::move(signature), op.types = types(line, operands);
  op.cases = [=] { return cases(pattern, line); };
  op.bench = [=] { return bench(timed, line); };
  op.cost = cost;
  return op;
}

}  // namespace

Dtype operand_dtype(const Call& c) {
  if (const Letters::Type* f = c.letters->type('F')) return f->value;
  Dtype t = c.dtype(0);
  for (std::size_t i = 1; i < c.in.size(); ++i) t = promote(t, c.dtype(i));
  return t;
}

double number_of(Dtype t, double x) {
  const Wide v = widen(tensor(t, {}, {x}));
  const auto* wide = std::get_if<Reals2>(&v);
  return wide ? (*wide)[0].hi : reals(v)[0];
}

double Given::operator()(std::string_view attr) const { return number_of(operand_dtype(*call), call->number(attr)); }

Op unary_row(const Scalar& line) {
  return row(line, "x T[*S] -> out " + std::string(line.out.type) + "[*S]", "T", kUnaryCases,
             "  ci     %.1024x1024.row.uniform/-\n");
}

Op binary_row(const Scalar& line) {
  return row(line, "a T[...], b U[...] -> out " + std::string(line.out.type) + "[...]", "T, U", kBinaryCases,
             "  ci     %.1024x1024.row.uniform+%.1024x1024.row.uniform/-\n");
}

}  // namespace plumb::reference
