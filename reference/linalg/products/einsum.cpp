// Einstein's summation: products of operands whose axes have labels, summed over the labels that the result lacks.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/double2.h"
#include "reference/linalg/products/allowed.h"
#include "reference/linalg/products/labelled.h"

namespace plumb {
namespace {

using namespace reference;

// A term as it is written: letters, and where among them the axes of the ellipsis stand.
struct Term {
  std::string letters;
  bool ellipsis = false;
  std::size_t at = 0;
};

Term parse_term(const Request& r, std::string_view text) {
  Term t;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '.') {
      if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z')))
        r.fail(Reason::attribute, "'" + std::string(1, text[i]) + "' of '" + std::string(text) + "' is no label");
      t.letters += text[i];
      continue;
    }
    if (text.substr(i, 3) != "..." || t.ellipsis)
      r.fail(Reason::attribute, "'" + std::string(text) + "' has dots that are not one ellipsis");
    t.ellipsis = true, t.at = t.letters.size();
    i += 2;
  }
  return t;
}

struct Subscripts {
  std::vector<Term> terms;
  Term out;
};

Subscripts parse(const Request& r) {
  std::string text = r.text("subscripts");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  std::string_view left = std::string_view(text).substr(0, arrow);
  Subscripts s;
  for (bool more = true; more;) {
    const std::size_t comma = left.find(',');
    s.terms.push_back(parse_term(r, left.substr(0, comma)));
    more = comma != std::string_view::npos;
    if (more) left.remove_prefix(comma + 1);
  }
  if (arrow != std::string::npos) {
    s.out = parse_term(r, std::string_view(text).substr(arrow + 2));
    return s;
  }
  std::string all;
  for (const Term& t : s.terms) all += t.letters, s.out.ellipsis |= t.ellipsis;
  std::sort(all.begin(), all.end());
  for (const char x : all)
    if (std::count(all.begin(), all.end(), x) == 1) s.out.letters += x;
  return s;
}

// Labels as numbers: those of the ellipsis first, then the letters in the order in which they come.
struct Named {
  std::vector<Labels> terms;
  Labels out;
  Shape sizes;
};

class Namer {
 public:
  Namer(const Request& r, const Subscripts& s) : r_(r), s_(s) {
    for (std::size_t k = 0; k < s.terms.size(); ++k)
      if (s.terms[k].ellipsis) dots_ = std::max(dots_, r.shape(k).size() - s.terms[k].letters.size());
    n_.sizes.assign(dots_, 1);
    from_.assign(dots_, 0);
    for (std::size_t k = 0; k < s.terms.size(); ++k) {
      n_.terms.push_back(labels(s.terms[k], r.shape(k).size() - s.terms[k].letters.size()));
      sizes(k);
    }
    n_.out = result();
  }
  Named named() const { return n_; }

 private:
  Labels labels(const Term& t, std::size_t dots) {
    Labels all;
    for (std::size_t i = 0; i <= t.letters.size(); ++i) {
      if (t.ellipsis && i == t.at)
        for (std::size_t d = dots_ - dots; d < dots_; ++d) all.push_back(d);
      if (i < t.letters.size()) all.push_back(label(t.letters[i]));
    }
    return all;
  }
  std::size_t label(char x) {
    const std::size_t at = letters_.find(x);
    if (at != std::string::npos) return dots_ + at;
    letters_ += x;
    n_.sizes.push_back(1);
    from_.push_back(0);
    return dots_ + letters_.size() - 1;
  }
  std::string name(std::size_t label) const {
    return label < dots_ ? "an axis of the ellipsis" : "label '" + std::string(1, letters_[label - dots_]) + "'";
  }
  void sizes(std::size_t k) {
    const Labels& l = n_.terms[k];
    const Shape& shape = r_.shape(k);
    for (std::size_t d = 0; d < l.size(); ++d) {
      for (std::size_t e = 0; e < d; ++e)
        if (l[e] == l[d] && shape[e] != shape[d])
          r_.fail(Reason::shape, name(l[d]) + " is " + std::to_string(shape[e]) + " and " + std::to_string(shape[d]) +
                                     " in op" + std::to_string(k));
      std::int64_t& size = n_.sizes[l[d]];
      if (size != 1 && shape[d] != 1 && size != shape[d])
        r_.fail(Reason::shape, name(l[d]) + " is " + std::to_string(size) + " in op" + std::to_string(from_[l[d]]) +
                                   " and " + std::to_string(shape[d]) + " in op" + std::to_string(k));
      if (size == 1) size = shape[d], from_[l[d]] = k;
    }
  }
  Labels result() {
    const std::string& x = s_.out.letters;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (letters_.find(x[i]) == std::string::npos)
        r_.fail(Reason::attribute, "label '" + std::string(1, x[i]) + "' of the result is in no operand");
      if (x.find(x[i]) != i)
        r_.fail(Reason::attribute, "label '" + std::string(1, x[i]) + "' stands twice in the result");
    }
    return labels(s_.out, s_.out.ellipsis ? dots_ : 0);
  }

  const Request& r_;
  const Subscripts& s_;
  std::size_t dots_ = 0;
  std::string letters_;
  std::vector<std::size_t> from_;  // the operand that said the size
  Named n_;
};

std::size_t operands(const Request& r) {
  std::size_t n = 0;
  while (r.has(n)) ++n;
  return n;
}

Named named(const Request& r) {
  const Subscripts s = parse(r);
  if (s.terms.size() != operands(r))
    r.fail(Reason::arity, std::to_string(operands(r)) + " operands for the " + std::to_string(s.terms.size()) +
                              " terms of '" + r.text("subscripts") + "'");
  for (std::size_t k = 0; k < s.terms.size(); ++k) {
    const std::size_t letters = s.terms[k].letters.size(), rank = r.shape(k).size();
    if (rank < letters || (rank > letters && !s.terms[k].ellipsis))
      r.fail(Reason::rank, "op" + std::to_string(k) + " " + to_string(r.shape(k)) + " has " + std::to_string(letters) +
                               " labels, '" + s.terms[k].letters + "'");
  }
  return Namer(r, s).named();
}

bool among(std::size_t label, const Labels& labels) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Dtype promoted(const Request& r) {
  Dtype t = r.dtype(0);
  for (std::size_t k = 1; k < operands(r); ++k) t = promote(t, r.dtype(k));
  return t;
}

// What sums of whole numbers widen to.
Dtype widened(Dtype t) {
  if (is_inexact(t) || info(t).bytes == 8) return t;
  return t == Dtype::u8 || t == Dtype::u16 || t == Dtype::u32 ? Dtype::u32 : Dtype::i32;
}

std::vector<Spec> infer(const Request& r) {
  const Named n = named(r);
  Spec out{promoted(r), {}};
  for (const std::size_t label : n.out) out.shape.push_back(n.sizes[label]);
  (void)count(out.shape);
  bool summed = false;
  for (std::size_t label = 0; label < n.sizes.size(); ++label) {
    if (among(label, n.out)) continue;
    summed = true;
    const auto of = std::count_if(n.terms.begin(), n.terms.end(), [&](const Labels& l) { return among(label, l); });
    if (of > 1 && !is_inexact(out.dtype))
      r.fail(Reason::dtype, "a sum over a label of several operands would be " + std::string(name(out.dtype)));
  }
  if (summed) out.dtype = widened(out.dtype);
  return {out};
}

std::int64_t terms(const Named& n) {
  std::int64_t all = 1;
  for (std::size_t label = 0; label < n.sizes.size(); ++label)
    if (!among(label, n.out)) all *= n.sizes[label];
  return all;
}

// out_l = sum over all labels that l lacks of the product of the operands, each at its own labels
Wide sum(const Call& c, Dtype t) {
  const Named n = named(c);
  std::vector<Wide> x;
  for (std::size_t k = 0; k < operands(c); ++k) x.push_back(widen_as(c[k], t));
  return sum_of_products(x, n.terms, n.out, n.sizes);
}
std::vector<Wide> einsum(const Call& c) { return {sum(c, output_specs(c)[0].dtype)}; }

double largest(const Wide& w) {
  double most = 1;
  for (std::int64_t i = 0; i < count(shape_of(w)); ++i) most = std::max(most, real_at(w, i));
  return most;
}

// docs/bounds.md, "A chain of products": a term passes order.prologue roundings on its way through all steps.
std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = output_specs(c)[0].dtype;
  if (!is_inexact(out)) return {Allowances(shape_of(want[0]))};
  const Call sizes = absolute(c);
  const Wide G = einsum(sizes)[0];
  const auto n = static_cast<double>(terms(named(c)));
  double most = std::max(1.0, n);
  for (std::size_t k = 0; k < operands(c); ++k) most *= largest(widen_as(sizes[k], sizes.dtype(k)));
  Sums s{.want = &want[0], .magnitude = &G, .terms = 1, .order = order, .out = out};
  s.order.prologue = 0;
  s.order.epilogue = std::max(0, order.prologue - 1);
  const DtypeInfo& wide = info(order.accumulator);
  s.exact = whole(c) && most <= std::ldexp(1.0, wide.precision);
  const bool chain = order.prologue > 0;
  s.underflow = chain ? most * wide.min_subnormal * static_cast<double>(operands(c)) : 0;
  Allowances all = allowed(s);
  for (std::int64_t i = 0; i < all.size(); ++i) {
    all[i].error += gamma(n + static_cast<double>(operands(c)), out == Dtype::f64 ? kDouble2Roundoff : 0x1p-53) *
                    std::min(real_at(G, i), std::numeric_limits<double>::max());
    all[i].overflow |= chain && most > wide.max;
    // Products of eight may allow more than the type can hold: that judges nothing, and is said.
    if (all[i].error - std::abs(real_at(want[0], i)) > info(out).max)
      all[i].error = std::numeric_limits<double>::infinity();
  }
  return {all};
}

Cost einsum_cost(const Call& c) {
  const Named n = named(c);
  return {static_cast<double>(std::max<std::size_t>(2, operands(c))) * static_cast<double>(terms(n)) *
              static_cast<double>(count(output_specs(c)[0].shape)),
          input_bytes(c) + output_bytes(c)};
}

constexpr const char* kCases = R"(
  call   {t}.{a}.{l}.{x}/subscripts={e}
  from   t=f32 a=4x5 l=row x=uniform e=ij->ji
  smoke  t={@all} x=bits                      # a transpose moves
  smoke  t={@all} a=4x4 e=ii->i x=bits        # so does a diagonal
  smoke  t={@all} e=ij-> x=int-3              # sums of whole numbers widen
  smoke  x={special,uniform} e=ij->j
  smoke  a=5x5 e=ii                           # a trace, of what no result names
  smoke  a=3x4 e=bA                           # upper case comes first: a transpose
  smoke  a=3x3x4 e=iij->ji
  smoke  a=3x3x3 e=iii->i
  smoke  a=2x3x4 e=...i->...
  smoke  a=2x3x4 e=i...->i                    # an ellipsis that the result lacks is summed
  smoke  a=2x3x4 e=i...
  smoke  a=2x2x5 e=ii...->...
  smoke  a=3x4 e=ij->...ij                    # one of no axes
  smoke  a=s e=->
  smoke  a=0x4 e=ij->j
  smoke  a=0x4 e=ij->i
  smoke  a=2x3x4x5 e=abcd->dbca l={@layouts}
  smoke  a=1x2x1x3x1x2x1x1x3 e=abcdefghi->ihgfedcba       # more labels than a kernel walks
  ci     a=2x1x3x2x1x2x3x2 e=abcdefgh->hcbagdfe l={@layouts} t={f32,u8}
  ci     a=33x65x17 e=ijk->ki t={f16,bf16,f32,f64,c64} l=[row,stepped,transposed,reversed]

  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/subscripts={e}
  from   t=f32 u={t} a=4x5 b=5x3 l=row k=row x=uniform y={x} e=ij,jk->ik
  smoke  t={f16,bf16,f32,f64,c64} x={int-3,uniform}
  smoke  t={f16,bf16,f32,c64} x=special
  smoke  t,u={i32 f16, f16 bf16, bool f32, f32 f64, f64 c64}
  smoke  e=ij,jk                              # the same without a result
  smoke  e=ij,jk->ki
  smoke  e=ij,jk->ijk                         # nothing is summed
  smoke  t={bool,i8,u32,f16,c64} a=4x5 b=5 e=ij,j->ij x=bits
  smoke  t={i8,u8,f32} a=3 b=4 e=i,j-> x=int-3    # sums of one operand alone: whole numbers too
  smoke  t={i32,f16} a=3x5 b=4 e=ij,k->ik x=int-3
  smoke  a=5 b=5 e=i,i->
  smoke  a=1 b=4 e=i,i->                      # an axis of 1 repeats, also where it is summed
  smoke  a=3x1 b=3x4 e=ij,ij->i
  smoke  a=4x5 b=4x5 e=ij,ij->i
  smoke  a=5x5 b=5 e=ii,i->i
  smoke  a=2x3x4 b=2x4x5 e=bij,bjk->bik
  smoke  a=2x3x4 b=3x4x5 e=iab,abj->ij         # several labels in one step
  smoke  a=2x3x2x5 b=2x4x2x5 e=bqhd,bkhd->bhqk
  smoke  a=2x3x4 b=4x5 e=...ij,jk->...ik
  smoke  a=2x1x3x4 b=6x4x5 e=...ij,...jk->...ik
  smoke  a=2x1x3 b=2x4x3 e=a...,a...->...
  smoke  a=3x0 b=0x4                          # nothing to add up
  smoke  a=3 b=0 e=i,j-> x=const-nan          # nor for a NaN beside it
  smoke  a=0x5 b=5x3
  smoke  l={@layouts} k={row,transposed}
  ci     t={f32,f16} l={@layouts} k=[row,stepped] a=3x7x4x5 b=4x6x5x7 e=aibc,bkci->kai
  ci     t={f16,bf16,f32,f64,c64} a=33x47 b=47x65 x=[int-3,uniform]
  ci     t={f16,bf16} a=2x8192 b=8192x3 x=const-1         # MM06, B21: f16 and bf16 are summed in f32
  ci     t={f16,bf16,f32,c64} a=6x13 b=13x7 x={wide,tiny,huge,subnormal,cancel}
  ci     t={f32,f64} a=3x5x129 b=5x3x65 e=abi,baj->abji

  call   {t}.{a}.{l}.{x}+{t}.{b}.row.{x}+{t}.{c}.row.{x}{more}/subscripts={e}
  from   t=f32 a=3x4 b=4x5 c=5x2 l=row x=uniform more= e=ij,jk,kl->il
  smoke  t={f16,bf16,f32,f64,c64} x={int-3,uniform}
  # No special values of all kinds: an infinity times a sum is not the sum of its products, so that the order of the
  # steps decides
  smoke  t={f16,f32} a=4x5 b=5x7 c=7x3 e=ij,jk,kl->li l={@layouts}
  smoke  a=3 b=4 c=3x4 e=i,j,ij->
  smoke  t={i8,f32} a=3 b=3 c=3 e=i,i,i->i x=int-3
  smoke  a=5 b=5 c=5 e=i,i,i->
  smoke  a=2x3x4 b=2x4x5 c=2x5x6 e=bij,bjk,bkl->bil
  smoke  a=3x1 b=4x5 c=1x2 e=ij,jk,kl->il                 # a step that a step before made larger
  smoke  more=+{t}.2x6.row.{x}+{t}.6x3.row.{x}+{t}.3.row.{x}+{t}.1.row.{x}+{t}.3x3.row.{x} e=ij,jk,kl,lm,mn,n,q,pp->ip
  ci     t={f16,bf16,f32,f64} a=17x33 b=33x47 c=47x9
  ci     t={f32,f64} x={wide,tiny,subnormal} a=5x7 b=7x6 c=6x4

  # Where no order of the steps says otherwise: a NaN, infinities of one sign among positive numbers or zeros, and sums
  # of nothing, which no NaN beside them reaches
  call   {t}.{a}.row.{x}+{t}.{b}.row.{y}+{t}.{c}.row.{z}{more}/subscripts={e}
  from   t=f32 a=3x4 b=4x5 c=5x2 x=positive-9 y=positive-9 z=positive-9 more= e=ij,jk,kl->il
  smoke  t={f16,f32,f64} x,y,z={const-nan positive-9 const-0, positive-9 const-nan const-0, const-0 uniform const-nan}
  smoke  t={f16,f32,f64} x,y,z={const-inf positive-9 positive-9, positive-9 const--inf positive-9,
         positive-9 positive-9 const-inf, const-inf const--inf positive-9, const-inf const-0 positive-9,
         const-0 positive-9 const-inf, positive-9 const-inf const-0}
  smoke  a,b,c={3x4 4x0 0x2, 3x0 0x5 5x2, 0x4 4x5 5x2, 3x4 4x5 5x0} x=const-nan z=const-nan
  smoke  a,b,c={3 0 2, 0 3 2, 3 2 0} e=i,j,k-> x=const-nan y=const-inf z=const-nan
  smoke  a=2x3 b=3x0 c=0x3 more=+{t}.3x2.row.const-nan e=ij,jk,kl,lm->im x=const-inf
)";

constexpr const char* kRejects = R"(
  call   {t}.{a}.row.int-3+{t}.{b}.row.int-3/subscripts={e}
  from   t=f32 a=3x4 b=4x5 e=ij,jk->ik
  arity  e=ij->ij           # one term for two operands
  arity  e=ij,jk,kl->il     # three
  rank   e=ijk,kl->l        # three labels for two axes
  rank   e=i,jk->k          # one
  rank   e=...ijk,jk->i     # an ellipsis has no fewer than no axes
  shape  e=ij,ik->jk        # 3 and 4 of one label
  shape  e=ii,jk->ijk       # 3 and 4 in one operand
  attribute e=ij,jk->ii     # a label twice in the result
  attribute e=ij,jk->iz     # a label of no operand
  attribute e=i1,1k->ik     # labels are letters
  attribute e=i..j,jk->ik   # two dots
  attribute e=i.....,jk->ik # more than one ellipsis
  attribute e=ij,jk->i->k   # a second arrow
  attribute e=none          # no subscripts
  dtype  t={i32,bool,u8}    # whole numbers of several operands are not summed
)";

}  // namespace

std::vector<Op> einsum_ops() {
  Op op;
  op.name = "einsum";
  op.signature =
      "op0 A[*A], op1? B[*B], op2? C[*C], op3? D[*D], op4? E[*E], op5? F[*F], op6? G[*G], op7? H[*H] -> out P[*O]";
  op.types = "A, B, C, D, E, F, G, H: all; P = promote(A, B, C, D, E, F, G, H)";
  op.attrs = {{"subscripts", kNone}};
  op.equation = "out_l = sum over all labels that l lacks of the product of the operands, each at its own labels";
  op.meaning =
      "up to eight operands, promoted first; blanks are skipped; an empty term is a 0-d operand; an axis of 1 repeats, "
      "also where it is summed; without a result it is the ellipsis and the labels that stand once, upper case first; "
      "an ellipsis that the result lacks is summed; whole numbers are not summed over a label of several operands, and "
      "widen where they are summed at all; f16 and bf16 stay f32 between the steps of a chain (upstream rounds each)";
  op.infer = infer;
  op.oracle = einsum;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = R"(
  call   {t}.{a}.row.uniform+{t}.{b}.row.uniform/subscripts={e}
  from   t=f32
  ci     a=8x512x8x64 b=8x512x8x64 e=bqhd,bkhd->bhqk
  ci     a=1024x1024 b=1024x1024 e=ij,kj->ki
)";
  op.cost = einsum_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
