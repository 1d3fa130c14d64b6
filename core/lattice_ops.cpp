// Which row an operation on sparse tensors runs, and the identity of its result.
#include <string>

#include "core/lattice.h"

namespace plumb::lattice {
namespace {

using List = std::vector<std::int64_t>;

List list(const Triple& t) { return {t.begin(), t.end()}; }
std::string text(const Triple& t) { return to_string(Shape(t.begin(), t.end())); }

Triple multiplied(const Triple& a, const Triple& b) { return {a[0] * b[0], a[1] * b[1], a[2] * b[2]}; }

Triple divided(std::string_view op, const Triple& tensor, const Triple& by) {
  Triple q{};
  for (std::size_t a = 0; a < 3; ++a) {
    if (by[a] <= 0 || tensor[a] % by[a] != 0)
      throw Error(op, Reason::attribute, "stride " + text(by) + " does not divide the tensor's " + text(tensor));
    q[a] = tensor[a] / by[a];
  }
  return q;
}

bool given(const Target& t) { return !std::holds_alternative<std::monostate>(t); }

// The key of the target in x's manager.
CoordinateKey key_of(std::string_view op, const SparseTensor& x, const Target& target, const Triple& stride) {
  const auto check = [&](const Triple& have) {
    if (have != stride) throw Error(op, Reason::attribute, "a target of stride " + text(have) + ", not " + text(stride));
  };
  if (const auto* t = std::get_if<SparseTensor>(&target)) {
    check(t->stride());
    return t->manager() == x.manager() ? t->key() : x.manager()->insert(t->coords(), stride, t->active_rows());
  }
  if (const auto* k = std::get_if<CoordinateKey>(&target)) {
    (void)x.manager()->coords(*k);
    check(k->stride);
    return *k;
  }
  return x.manager()->insert(std::get<Tensor>(target), stride);
}

// (Cout,Cin) as the one kernel row of a (1,Cin,Cout) weight: a view.
Tensor kernel_rows(const Tensor& w) {
  if (!w.defined() || w.rank() != 2) return w;
  return w.view({1, w.dim(1), w.dim(0)}, {0, w.strides()[1], w.strides()[0]});
}

struct Geometry {
  std::string_view row;
  Kind kind;
  KernelSpec spec;
};

Attrs attributes(const Geometry& g, const Tensor& weight) {
  Attrs a{{"kernel_size", list(g.spec.size)}};
  const bool moves = g.row != "subm_conv3d", spreads = g.row == "generative_conv_transpose3d";
  if (moves) a.set("stride", list(g.spec.stride));
  if (moves && !spreads) a.set("padding", list(g.spec.padding));
  if (!spreads) a.set("dilation", list(g.spec.dilation));
  if (weight.defined() && weight.rank() == 5) a.set("weight_layout", "dense_5d");
  return a;
}

// Features of the outputs at the target, which keep the target's identity.
SparseTensor at_target(const Geometry& g, const SparseTensor& x, const Tensor& weight, const Tensor& bias,
                       const CoordinateKey& key, const Runner& run_call) {
  const CoordinateManager& m = *x.manager();
  const Tensor w = kernel_rows(weight);
  std::vector<Tensor> out = run_call(make_call(
      g.row, {x.coords(), x.active_rows(), x.feats(), w, bias, m.coords(key), m.active_rows(key)}, attributes(g, w)));
  const bool own = key == x.key();
  return {m.coords(key), out[1],
          {.stride = key.stride, .manager = x.manager(), .key = key, .batch_counts = own ? x.batch_counts() : std::nullopt}};
}

// Features of outputs that the relation makes; every result of one relation has one identity.
SparseTensor at_support(const Geometry& g, const SparseTensor& x, const Tensor& weight, const Tensor& bias, const Triple& stride,
                        const Runner& run_call) {
  std::vector<Tensor> out = run_call(make_call(g.row, {x.coords(), x.active_rows(), x.feats(), weight, bias}, attributes(g, weight)));
  CoordinateManager& m = *x.manager();
  const CoordinateKey key = m.output({x.key(), std::nullopt, g.spec, g.kind}, stride, out[0], out[2].view({1}, {1}, 1));
  return {m.coords(key), out[1], {.stride = stride, .manager = x.manager(), .key = key}};
}

// Y = X W (+ bias), row by row: W is (Cout,Cin), (1,Cin,Cout) or (Cout,1,1,1,Cin).
SparseTensor pointwise(std::string_view op, const SparseTensor& x, const Tensor& w, const Tensor& bias, const Runner& run_call) {
  if (!w.defined() || (w.rank() != 2 && w.rank() != 3 && w.rank() != 5))
    throw Error(op, Reason::rank, "a pointwise weight of rank " + std::to_string(w.defined() ? w.rank() : 0));
  const Shape& s = w.shape();
  if ((w.rank() == 3 && s[0] != 1) || (w.rank() == 5 && (s[1] != 1 || s[2] != 1 || s[3] != 1)))
    throw Error(op, Reason::shape, to_string(s) + " weights for one kernel row");
  const bool by_row = w.rank() == 3;  // channels in come first
  const Tensor matrix = by_row ? w.view({s[1], s[2]}, {w.strides()[1], w.strides()[2]})
                               : w.view({s.back(), s[0]}, {w.strides().back(), w.strides()[0]});
  const Dtype t = x.feats().dtype();
  if (t != Dtype::f16 && t != Dtype::f32) throw Error(op, Reason::dtype, "features are " + std::string(name(t)));
  if (w.dtype() != t) throw Error(op, Reason::dtype, "weights are " + std::string(name(w.dtype())));
  if (bias.defined() && bias.dtype() != t) throw Error(op, Reason::dtype, "the bias is " + std::string(name(bias.dtype())));
  if (bias.defined() && bias.shape() != Shape{matrix.dim(1)})
    throw Error(op, Reason::shape, to_string(bias.shape()) + " bias for " + std::to_string(matrix.dim(1)) + " output channels");
  Tensor y = run_call(make_call("matmul", {x.feats(), matrix})).at(0);
  if (bias.defined()) y = run_call(make_call("add", {y, bias})).at(0);
  return x.with_features(y);
}

}  // namespace

SparseTensor conv3d(const SparseTensor& x, const Tensor& weight, const Tensor& bias, const KernelSpec& spec, const Target& target,
                    const Runner& run_call) {
  if (!given(target) && spec.is_pointwise()) return pointwise("conv3d", x, weight, bias, run_call);
  const Triple stride = multiplied(x.stride(), spec.stride);
  if (!given(target)) return at_support({"conv3d", Kind::forward, spec}, x, weight, bias, stride, run_call);
  return at_target({"conv3d", Kind::target, spec}, x, weight, bias, key_of("conv3d", x, target, stride), run_call);
}

SparseTensor subm_conv3d(const SparseTensor& x, const Tensor& weight, const Tensor& bias, Triple size, Triple dilation,
                         const Runner& run_call) {
  const KernelSpec spec{.size = size, .dilation = dilation};
  if (spec.is_pointwise()) return pointwise("subm_conv3d", x, weight, bias, run_call);
  const Call call = make_call("subm_conv3d", {x.coords(), x.active_rows(), x.feats(), weight, bias},
                              attributes({"subm_conv3d", Kind::submanifold, spec}, weight));
  return x.with_features(run_call(call).at(1));
}

SparseTensor conv_transpose3d(const SparseTensor& x, const Tensor& weight, const Tensor& bias, const KernelSpec& spec,
                              const Target& target, const Runner& run_call) {
  constexpr std::string_view op = "conv_transpose3d";
  const Triple stride = divided(op, x.stride(), spec.stride);
  if (!given(target)) return at_support({op, Kind::transposed, spec}, x, weight, bias, stride, run_call);
  return at_target({op, Kind::target_transposed, spec}, x, weight, bias, key_of(op, x, target, stride), run_call);
}

SparseTensor generative_conv_transpose3d(const SparseTensor& x, const Tensor& weight, const Tensor& bias, Triple size, Triple by,
                                         const Target& target, const Runner& run_call) {
  constexpr std::string_view op = "generative_conv_transpose3d";
  const KernelSpec spec{.size = size, .stride = by};
  const Triple stride = divided(op, x.stride(), by);
  if (!given(target)) return at_support({op, Kind::generative, spec}, x, weight, bias, stride, run_call);
  // Given outputs merge what the generative relation keeps apart: the transposed sum over them.
  return at_target({"conv_transpose3d", Kind::target_transposed, spec}, x, weight, bias, key_of(op, x, target, stride), run_call);
}

}  // namespace plumb::lattice
