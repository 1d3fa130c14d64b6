// Which row an operation on sparse tensors runs, and the identity of its result.
#include <string>

#include "library/sparse.h"

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
    if (have != stride)
      throw Error(op, Reason::attribute, "a target of stride " + text(have) + ", not " + text(stride));
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
  std::string row;
  Kind kind;
  KernelSpec spec;
};

Attrs attributes(const Geometry& g) {
  Attrs a{{"kernel_size", list(g.spec.size)}};
  const bool moves = g.kind != Kind::submanifold, spreads = g.kind == Kind::generative;
  if (moves) a.set("stride", list(g.spec.stride));
  if (moves && !spreads) a.set("padding", list(g.spec.padding));
  if (!spreads) a.set("dilation", list(g.spec.dilation));
  return a;
}

// The row of this family that takes such a weight.
Geometry with_weight(std::string_view op, Kind kind, const KernelSpec& spec, const Weight& w) {
  if (w.eps && kind == Kind::forward) throw Error(op, Reason::unsupported, "a normalised weight");
  return {(w.packed() ? "quantized_" : w.eps ? "normalized_" : "") + std::string(op), kind, spec};
}

Attrs attributes(const Geometry& g, const Weight& w) {
  Attrs a = attributes(g);
  if (w.packed()) a.set("bits", w.bits);
  else if (w.values.defined() && w.values.rank() == 5) a.set("weight_layout", "dense_5d");
  if (w.eps) a.set("eps", *w.eps);
  return a;
}

std::vector<Tensor> operands(const Weight& w, const Tensor& bias) {
  return w.packed() ? std::vector<Tensor>{w.values, w.scales, w.biases, bias} : std::vector<Tensor>{w.values, bias};
}

SparseTensor with_key(const SparseTensor& x, const CoordinateKey& key, const Tensor& feats) {
  const bool own = key == x.key();
  return {x.manager()->coords(key),
          feats,
          {.stride = key.stride,
           .manager = x.manager(),
           .key = key,
           .batch_counts = own ? x.batch_counts() : std::nullopt}};
}

// Operands are what a row takes between its features and its targets: weight and bias, or nothing.
std::vector<Tensor> inputs(const SparseTensor& x, const std::vector<Tensor>& operands) {
  std::vector<Tensor> in{x.coords(), x.active_rows(), x.feats()};
  in.insert(in.end(), operands.begin(), operands.end());
  return in;
}

// Features of the outputs at the target, which keep the target's identity.
SparseTensor at_target(const Geometry& g, Attrs attrs, const SparseTensor& x, const std::vector<Tensor>& operands,
                       const CoordinateKey& key, const Runner& run_call) {
  std::vector<Tensor> in = inputs(x, operands);
  in.insert(in.end(), {x.manager()->coords(key), x.manager()->active_rows(key)});
  return with_key(x, key, run_call(make_call(g.row, std::move(in), std::move(attrs))).at(1));
}

// Features of outputs that the relation makes; every result of one relation has one identity.
SparseTensor at_support(const Geometry& g, Attrs attrs, const SparseTensor& x, const std::vector<Tensor>& operands,
                        const Triple& stride, const Runner& run_call) {
  const std::vector<Tensor> out = run_call(make_call(g.row, inputs(x, operands), std::move(attrs)));
  const Tensor active = out[2].view({1}, {1}, 1);
  return with_key(x, x.manager()->output({x.key(), std::nullopt, g.spec, g.kind}, stride, out[0], active), out[1]);
}

SparseTensor convolved(const Geometry& g, const SparseTensor& x, const Weight& weight, const Tensor& bias,
                       const Triple& stride, const Target& target, const Runner& run_call) {
  if (!given(target)) return at_support(g, attributes(g, weight), x, operands(weight, bias), stride, run_call);
  if (weight.packed() && g.kind != Kind::forward)
    throw Error(g.row, Reason::unsupported, "packed weights at given outputs");
  Weight w = weight;
  if (!w.packed()) w.values = kernel_rows(w.values);
  return at_target(g, attributes(g, w), x, operands(w, bias), key_of(g.row, x, target, stride), run_call);
}

// Y = X W^T (+ bias), row by row: W is (Cout,Cin), (1,Cin,Cout) or (Cout,1,1,1,Cin).
SparseTensor pointwise(std::string_view op, const SparseTensor& x, const Weight& weight, const Tensor& bias,
                       const Runner& run_call) {
  if (weight.packed()) return linear(x, weight, bias, run_call);
  const Tensor& w = weight.values;
  if (!w.defined() || (w.rank() != 2 && w.rank() != 3 && w.rank() != 5))
    throw Error(op, Reason::rank, "a pointwise weight of rank " + std::to_string(w.defined() ? w.rank() : 0));
  const Shape& s = w.shape();
  if ((w.rank() == 3 && s[0] != 1) || (w.rank() == 5 && (s[1] != 1 || s[2] != 1 || s[3] != 1)))
    throw Error(op, Reason::shape, to_string(s) + " weights for one kernel row");
  const Tensor matrix = w.rank() == 3 ? w.view({s[2], s[1]}, {w.strides()[2], w.strides()[1]})
                                      : w.view({s[0], s.back()}, {w.strides()[0], w.strides().back()});
  if (bias.defined() && bias.dtype() != x.feats().dtype())
    throw Error(op, Reason::dtype, "the bias is " + std::string(name(bias.dtype())));
  const Call call = bias.defined() ? make_call("linear", {x.feats(), matrix, bias})  // one rounding, bias included
                                   : make_call("pointwise_projection", {x.feats(), matrix});
  return x.with_features(run_call(call).at(0));
}

void check_strides(std::string_view op, const SparseTensor& lhs, const SparseTensor& rhs) {
  if (lhs.stride() != rhs.stride())
    throw Error(op, Reason::attribute, "tensors of stride " + text(lhs.stride()) + " and " + text(rhs.stride()));
}

std::string_view join_name(std::string_view op, Kind kind) {
  constexpr std::string_view names[] = {"inner", "left", "right", "outer"};
  if (kind < Kind::inner) throw Error(op, Reason::attribute, "a kernel is no join");
  return names[static_cast<std::size_t>(kind) - static_cast<std::size_t>(Kind::inner)];
}

// Rows matched by coordinate. Of one identity: each row with itself, and that identity stays.
SparseTensor joined(std::string_view row, const SparseTensor& lhs, const SparseTensor& rhs, Kind kind, Attrs attrs,
                    const Runner& run_call) {
  const bool same = lhs.same_coords(rhs);
  check_strides(row, lhs, rhs);
  attrs.set("join", std::string(join_name(row, same ? Kind::left : kind)));
  const std::vector<Tensor> out = run_call(
      make_call(row, {lhs.coords(), lhs.active_rows(), lhs.feats(), rhs.coords(), rhs.active_rows(), rhs.feats()},
                std::move(attrs)));
  if (same) return lhs.with_features(out[1]);
  CoordinateManager& m = *lhs.manager();
  const CoordinateKey other =
      rhs.manager() == lhs.manager() ? rhs.key() : m.insert(rhs.coords(), rhs.stride(), rhs.active_rows());
  return with_key(lhs, m.output({lhs.key(), other, {}, kind}, lhs.stride(), out[0], out[2]), out[1]);
}

}  // namespace

Weight Weight::normalized(Tensor dense, double eps) {
  Weight w(std::move(dense));
  w.eps = eps;
  return w;
}

SparseTensor conv3d(const SparseTensor& x, const Weight& weight, const Tensor& bias, const KernelSpec& spec,
                    const Target& target, const Runner& run_call) {
  const Geometry g = with_weight("conv3d", Kind::forward, spec, weight);
  if (!given(target) && spec.is_pointwise()) return pointwise(g.row, x, weight, bias, run_call);
  return convolved(g, x, weight, bias, multiplied(x.stride(), spec.stride), target, run_call);
}

// Of one point: a product, normalised or not.
SparseTensor subm_conv3d(const SparseTensor& x, const Weight& weight, const Tensor& bias, Triple size, Triple dilation,
                         const Runner& run_call) {
  const KernelSpec spec{.size = size, .dilation = dilation};
  const Geometry g = with_weight("subm_conv3d", Kind::submanifold, spec, weight);
  if (spec.is_pointwise()) return pointwise(g.row, x, weight, bias, run_call);
  const Call call = make_call(g.row, inputs(x, operands(weight, bias)), attributes(g, weight));
  return x.with_features(run_call(call).at(1));
}

SparseTensor conv_transpose3d(const SparseTensor& x, const Weight& weight, const Tensor& bias, const KernelSpec& spec,
                              const Target& target, const Runner& run_call) {
  const Geometry g = with_weight("conv_transpose3d", Kind::transposed, spec, weight);
  return convolved(g, x, weight, bias, divided(g.row, x.stride(), spec.stride), target, run_call);
}

// Given outputs merge what the generative relation keeps apart: the transposed sum over them.
SparseTensor generative_conv_transpose3d(const SparseTensor& x, const Weight& weight, const Tensor& bias, Triple size,
                                         Triple by, const Target& target, const Runner& run_call) {
  const KernelSpec spec{.size = size, .stride = by};
  const Geometry g = given(target) ? with_weight("conv_transpose3d", Kind::transposed, spec, weight)
                                   : with_weight("generative_conv_transpose3d", Kind::generative, spec, weight);
  return convolved(g, x, weight, bias, divided(g.row, x.stride(), by), target, run_call);
}

SparseTensor pool3d(Pool mode, const SparseTensor& x, const KernelSpec& spec, const Runner& run_call) {
  constexpr std::string_view rows[] = {"sum_pool3d", "max_pool3d", "avg_pool3d"};
  const Geometry g{std::string(rows[static_cast<std::size_t>(mode)]), Kind::forward, spec};
  return at_support(g, attributes(g), x, {}, multiplied(x.stride(), spec.stride), run_call);
}

SparseTensor pool_transpose3d(const SparseTensor& x, const KernelSpec& spec, const Target& target,
                              const Runner& run_call) {
  const Geometry g{"pool_transpose3d", Kind::transposed, spec};
  const Triple stride = divided(g.row, x.stride(), spec.stride);
  if (!given(target)) return at_support(g, attributes(g), x, {}, stride, run_call);
  return at_target(g, attributes(g), x, {}, key_of(g.row, x, target, stride), run_call);
}

SparseTensor trilinear_upsample3d(const SparseTensor& x, Triple by, const Target& target, const Runner& run_call) {
  KernelSpec spec{.stride = by};  // its support: weights reach s - 1 to both sides
  for (std::size_t a = 0; a < 3; ++a) spec.size[a] = 2 * by[a] - 1, spec.padding[a] = by[a] - 1;
  const Geometry g{"trilinear_upsample3d", Kind::transposed, spec};
  const Triple stride = divided(g.row, x.stride(), by);
  const Attrs attrs{{"stride", list(by)}};
  if (!given(target)) return at_support(g, attrs, x, {}, stride, run_call);
  return at_target(g, attrs, x, {}, key_of(g.row, x, target, stride), run_call);
}

SparseTensor linear(const SparseTensor& x, const Weight& weight, const Tensor& bias, const Runner& run_call) {
  if (!weight.packed()) return x.with_features(run_call(make_call("linear", {x.feats(), weight.values, bias})).at(0));
  const std::vector<Tensor> in{x.feats(), weight.values, weight.scales, weight.biases, bias};
  return x.with_features(run_call(make_call("quantized_linear", in, {{"bits", weight.bits}})).at(0));
}

SparseTensor activation(const SparseTensor& x, std::string_view kind, const Runner& run_call) {
  return x.with_features(run_call(make_call("activation", {x.feats()}, {{"kind", std::string(kind)}})).at(0));
}

Tensor global_pool(Pool mode, const SparseTensor& x, std::optional<std::int64_t> batch_size, const Runner& run_call) {
  constexpr std::string_view rows[] = {"global_sum_pool", "global_max_pool", "global_avg_pool"};
  Attrs attrs;
  if (x.batch_counts()) attrs.set("batch_counts", *x.batch_counts());
  if (batch_size) attrs.set("batch_size", *batch_size);
  if (!x.batch_counts() && !batch_size) attrs.set("batch_size", std::ssize(x.batch_rows()));
  const std::string_view row = rows[static_cast<std::size_t>(mode)];
  return run_call(make_call(row, {x.coords(), x.active_rows(), x.feats()}, std::move(attrs))).at(0);
}

SparseTensor sparse_binary(std::string_view op, const SparseTensor& lhs, const SparseTensor& rhs, const Join& join,
                           const Runner& run_call) {
  if (lhs.same_coords(rhs) && op == "add") {
    if (lhs.feats().shape() != rhs.feats().shape())
      throw Error("sparse_binary", Reason::shape,
                  to_string(lhs.feats().shape()) + " and " + to_string(rhs.feats().shape()));
    return lhs.with_features(run_call(make_call("add", {lhs.feats(), rhs.feats()})).at(0));
  }
  Attrs attrs{{"op", std::string(op)}};
  if (!lhs.same_coords(rhs)) attrs.set("lhs_fill", join.lhs_fill), attrs.set("rhs_fill", join.rhs_fill);
  return joined("sparse_binary", lhs, rhs, join.kind, std::move(attrs), run_call);
}

SparseTensor sparse_cat(const SparseTensor& lhs, const SparseTensor& rhs, Kind join, const Runner& run_call) {
  return joined("sparse_cat_aligned", lhs, rhs, join, {}, run_call);
}

SparseTensor reindex(const SparseTensor& x, const SparseTensor& target, double fill, const Runner& run_call) {
  if (x.same_coords(target)) return x.reuse_coords_from(target);
  check_strides("reindex_sparse", x, target);
  const std::vector<Tensor> out = run_call(
      make_call("reindex_sparse", {x.coords(), x.active_rows(), x.feats(), target.coords(), target.active_rows()},
                {{"fill", fill}}));
  return target.with_features(out.at(0));
}

SparseTensor operator+(const SparseTensor& a, const SparseTensor& b) { return sparse_binary("add", a, b); }
SparseTensor operator-(const SparseTensor& a, const SparseTensor& b) { return sparse_binary("sub", a, b); }
SparseTensor operator*(const SparseTensor& a, const SparseTensor& b) {
  return sparse_binary("mul", a, b, {.kind = Kind::inner});
}

}  // namespace plumb::lattice
