#include "plans/linalg/products/einsum.h"

#include <algorithm>
#include <string>

#include "plans/linalg/products/batched.h"
#include "plans/linalg/products/contraction.h"

namespace plumb::products {
namespace {

// Subscripts that are known to fit the operands. Letters are their own labels, from `dots` on those of the ellipsis.
struct Subscripts {
  std::vector<Labels> terms;
  Labels out;
  Shape sizes;
};

constexpr int kDots = 128;

Labels labels_of(std::string_view term, std::size_t rank, std::size_t dots) {
  Labels all;
  const auto letters =
      static_cast<std::size_t>(std::count_if(term.begin(), term.end(), [](char x) { return x != '.'; }));
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (term[i] != '.') {
      all.push_back(term[i]);
      continue;
    }
    for (std::size_t d = dots - (rank - letters); d < dots; ++d) all.push_back(kDots + static_cast<int>(d));
    i += 2;
  }
  return all;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char x : text)
    if (x == ',') parts.emplace_back();
    else parts.back() += x;
  return parts;
}

std::size_t letters_in(const std::string& term) { return term.size() - (term.find('.') == std::string::npos ? 0 : 3); }

Subscripts subscripts(const Call& c) {
  std::string text = c.text("subscripts");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  const std::vector<std::string> terms = split(text.substr(0, arrow));
  std::size_t dots = 0;
  bool ellipsis = false;
  std::string letters;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    letters += terms[k];
    if (terms[k].find('.') == std::string::npos) continue;
    ellipsis = true;
    dots = std::max(dots, c.shape(k).size() - letters_in(terms[k]));
  }
  std::string result = arrow == std::string::npos ? "" : text.substr(arrow + 2);
  if (arrow == std::string::npos) {
    std::erase(letters, '.');
    std::sort(letters.begin(), letters.end());
    if (ellipsis) result = "...";
    for (const char x : letters)
      if (std::count(letters.begin(), letters.end(), x) == 1) result += x;
  }
  Subscripts s;
  s.sizes.assign(kDots + dots, 1);
  for (std::size_t k = 0; k < terms.size(); ++k) {
    s.terms.push_back(labels_of(terms[k], c.shape(k).size(), dots));
    for (std::size_t d = 0; d < s.terms[k].size(); ++d)
      if (c.shape(k)[d] != 1) s.sizes[static_cast<std::size_t>(s.terms[k][d])] = c.shape(k)[d];
  }
  s.out = labels_of(result, letters_in(result) + dots, dots);
  return s;
}

bool among(int label, const Labels& labels) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

// What others still need of the labels of some terms: first those of the result, in its order.
Labels needed(const std::vector<Term>& terms, std::size_t a, std::size_t b, const Labels& out) {
  Labels keep = out;
  for (std::size_t k = 0; k < terms.size(); ++k)
    if (k != a && k != b)
      for (const int label : terms[k].labels)
        if (!among(label, keep)) keep.push_back(label);
  return keep;
}

double volume(const Labels& labels, const Shape& sizes) {
  double all = 1;
  for (const int label : labels) all *= static_cast<double>(sizes[static_cast<std::size_t>(label)]);
  return all;
}

// By how much a step makes the terms that remain larger.
double growth(const std::vector<Term>& terms, std::size_t a, std::size_t b, const Subscripts& s) {
  Labels both;
  for (const int label : needed(terms, a, b, s.out))
    if (among(label, terms[a].labels) || among(label, terms[b].labels)) both.push_back(label);
  return volume(both, s.sizes) - volume(terms[a].labels, s.sizes) - volume(terms[b].labels, s.sizes);
}

// The pair whose product leaves the least.
std::pair<std::size_t, std::size_t> cheapest(const std::vector<Term>& terms, const Subscripts& s) {
  std::pair<std::size_t, std::size_t> best{0, 1};
  double least = growth(terms, 0, 1, s);
  for (std::size_t a = 0; a < terms.size(); ++a)
    for (std::size_t b = a + 1; b < terms.size(); ++b)
      if (const double g = growth(terms, a, b, s); g < least) best = {a, b}, least = g;
  return best;
}

Dtype promoted(const Call& c, std::size_t operands) {
  Dtype t = c.dtype(0);
  for (std::size_t k = 1; k < operands; ++k) t = promote(t, c.dtype(k));
  return t;
}

bool sums_alone(const std::vector<Term>& terms, const Labels& out) {
  for (std::size_t k = 0; k < terms.size(); ++k)
    for (const int label : terms[k].labels)
      if (!among(label, needed(terms, k, k, out))) return true;
  return false;
}

// The first operand without elements; `operands` if there is none.
std::size_t empty_operand(const Call& c, std::size_t operands) {
  std::size_t k = 0;
  while (k < operands && count(c.shape(k)) != 0) ++k;
  return k;
}

// Sums of nothing: no factor has a part in them, not even a NaN, which a sum of nothing made first would meet.
Tensor sums_of_nothing(Pipeline& p, const Tensor& empty, Subscripts s, Dtype out) {
  Labels labels = s.out;
  labels.push_back(static_cast<int>(s.sizes.size()));
  s.sizes.push_back(0);
  Shape shape;
  for (const int label : labels) shape.push_back(s.sizes[static_cast<std::size_t>(label)]);
  const Term nothing{empty.view(shape, Strides(shape.size(), 0)), labels};
  return arranged(p, summed(p, nothing, s.out), s.out, out);
}

}  // namespace

Tensor einsum(Pipeline& p, const Call& c) {
  const Subscripts s = subscripts(c);
  const Dtype out = output_specs(c)[0].dtype, given = promoted(c, s.terms.size());
  const std::size_t empty = empty_operand(c, s.terms.size());
  if (s.terms.size() > 1 && empty < s.terms.size()) return sums_of_nothing(p, c[empty], s, out);
  std::vector<Term> terms;
  for (std::size_t k = 0; k < s.terms.size(); ++k) terms.push_back(term(c[k], s.terms[k], s.sizes));
  if (terms.size() == 1) return arranged(p, summed(p, terms[0], s.out), s.out, out);
  // Halves stay in the type of the sums between steps; whole numbers are summed in that of the result.
  const bool steps = terms.size() > 2 || sums_alone(terms, s.out);
  const Dtype within = !is_inexact(given) ? out : steps ? accumulator_of(given) : given;
  for (Term& t : terms) t.data = p.as(is_inexact(given) ? p.as(t.data, given) : t.data, within);
  for (std::size_t k = 0; k < terms.size(); ++k) terms[k] = summed(p, terms[k], needed(terms, k, k, s.out));
  while (terms.size() > 1) {
    const auto [a, b] = cheapest(terms, s);
    const Term product = contracted(p, terms[a], terms[b], needed(terms, a, b, s.out));
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(b));
    terms[a] = product;
  }
  return arranged(p, terms[0], s.out, out);
}

Order einsum_order(Side side, const Call& c) {
  Pipeline p(side, true);
  (void)einsum(p, c);
  const Dtype out = output_specs(c)[0].dtype;
  Order o;
  o.accumulator = out == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  // The parts of a complex product stray by its modulus each, which is sqrt 2 of that.
  const bool complex = out == Dtype::c64;
  for (const auto& [route, call] : p.calls()) {
    std::int64_t depth = 0;
    if (call.op->name == "multiply") depth = 2;
    else if (route->order && call.op->tolerance.terms) depth = route->order(call).depth(call.op->tolerance.terms(call));
    o.prologue += static_cast<int>(complex ? depth + (depth + 1) / 2 : depth);
  }
  return o;
}

std::size_t einsum_labels(const Call& c) {
  Labels all;
  for (const Labels& term : subscripts(c).terms)
    for (const int label : term)
      if (!among(label, all)) all.push_back(label);
  return all.size();
}

}  // namespace plumb::products
