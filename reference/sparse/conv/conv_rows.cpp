#include "reference/sparse/conv/conv_rows.h"

#include <algorithm>

namespace plumb::reference {
namespace {

using List = std::vector<std::int64_t>;

std::string text(std::int64_t n) { return std::to_string(n); }

// Not every row with a kernel that may have targets or a bias takes them.
bool given(const Request& r, std::string_view optional) {
  const std::string named = std::string(optional) + "?";
  return std::find(r.op->inputs.begin(), r.op->inputs.end(), named) != r.op->inputs.end() && r.has(optional);
}

}  // namespace

RelationKind kind_of(const Request& r, RelationKind base) {
  if (!given(r, "target_coords")) return base;
  return base == RelationKind::forward ? RelationKind::target : RelationKind::target_transposed;
}

ConvSites check_sites(const Request& r, RelationKind base) {
  const RelationKind kind = kind_of(r, base);
  const Geometry g = geometry(r, kind);
  const std::int64_t n = r.size('N');
  return {g, n, capacity(r, kind, g, n, r.size('M'))};
}

ConvShape check_convolution(const Request& r, RelationKind base) {
  const auto [g, n, m] = check_sites(r, base);
  const std::string& layout = r.text("weight_layout");
  if (layout != "kernel_major" && layout != "dense_5d") r.fail(Reason::attribute, "weight_layout " + layout);
  const bool dense = layout == "dense_5d";
  const Shape& w = r.shape(r.index("weight"));
  if (w.size() != (dense ? 5 : 3)) r.fail(Reason::rank, "a " + layout + " weight of rank " + text(std::ssize(w)));
  if (!dense && w[0] != g.volume)
    r.fail(Reason::shape, to_string(w) + " weights for " + text(g.volume) + " kernel rows");
  if (dense && (w[1] != g.size[0] || w[2] != g.size[1] || w[3] != g.size[2]))
    r.fail(Reason::shape, to_string(w) + " weights for a kernel of " + to_string(Shape(g.size.begin(), g.size.end())));
  return {g.volume, r.size('A'), r.size('C'), n, m, dense};
}

Relation relation_of(const Call& call, RelationKind base) {
  const RelationKind kind = kind_of(call, base);
  std::vector<Site> targets;
  if (given(call, "target_coords"))
    targets = active_sites(call, call.index("target_coords"), call.index("target_active_rows"));
  return relate(kind, geometry(call, kind), active_sites(call, call.index("coords"), call.index("active_rows")),
                targets);
}

std::int64_t fullest_output(const Relation& r) {
  std::vector<std::int64_t> edges(r.out.size());
  std::int64_t most = 0;
  for (const Edge& e : r.edges) most = std::max(most, ++edges[static_cast<std::size_t>(e.out)]);
  return most;
}

std::int64_t conv_terms(const Call& call, RelationKind base) {
  const RelationKind kind = kind_of(call, base);
  std::int64_t degree = geometry(call, kind).volume;
  if (kind == RelationKind::transposed) degree = std::max(degree, fullest_output(relation_of(call, base)));
  return degree * call.shape(call.index("features"))[1] + (call.has("bias") ? 1 : 0);
}

Cost conv_cost(const Call& call, RelationKind base, const std::vector<Spec>& out, double flops) {
  const Relation r = relation_of(call, base);
  const double edges = static_cast<double>(r.edges.size()), rows = static_cast<double>(r.out.size());
  const auto A = static_cast<double>(call.shape(call.index("features"))[1]), C = static_cast<double>(out[1].shape[1]);
  const double row_bytes = C * info(out[1].dtype).bytes + 4 * info(out[0].dtype).bytes;
  return {flops * edges * A * C, input_bytes(call) + rows * row_bytes};
}

std::optional<Spot> output_channels(const Call& c, std::initializer_list<const char*> weights, const char* bias,
                                    std::uint64_t key) {
  const int axis = c.text("weight_layout") == "dense_5d" ? 0 : -1;
  std::vector<Tensor> in = c.in;
  for (const char* w : weights) in[c.index(w)] = spaced(c[w], axis, 4, key);
  if (c.has(bias)) in[c.index(bias)] = spaced(c[bias], 0, 4, key);
  return Spot{make_call(*c.op, std::move(in), c.attrs), [key](const std::vector<Tensor>& out) {
                std::vector<Tensor> part = out;
                part[1] = spaced(out[1], -1, 4, key);
                return part;
              }};
}

Attrs kernel_attrs(RelationKind base) {
  const List ones{1, 1, 1}, twos{2, 2, 2}, threes{3, 3, 3}, zeros{0, 0, 0};
  const bool spreads = base == RelationKind::transposed || base == RelationKind::generative;
  Attrs a{{"kernel_size", spreads ? twos : threes}};
  if (base != RelationKind::submanifold) a.set("stride", spreads ? twos : ones);
  if (takes_targets(base)) a.set("padding", zeros);
  if (base != RelationKind::generative) a.set("dilation", ones);
  return a;
}

Attrs conv_attrs(RelationKind base) {
  Attrs a = kernel_attrs(base);
  a.set("weight_layout", "kernel_major");
  return a;
}

std::string conv_signature(RelationKind base, const std::string& inputs, const char* outputs) {
  return kSites + ", " + inputs + (takes_targets(base) ? ", (" + kTargets + ")?" : "") + " -> " + outputs;
}

bool recorded_kind(RelationKind base, Attrs& attrs) {
  switch (base) {
    case RelationKind::forward: return drop_kind(attrs, {"forward", "target"});
    case RelationKind::submanifold: return drop_kind(attrs, {"submanifold"});
    case RelationKind::transposed: return drop_kind(attrs, {"transposed", "target_transposed"});
    default: return drop_kind(attrs, {"generative"});
  }
}

Integers coords_of(const Relation& r, std::int64_t rows) {
  Integers coords({rows, 4});
  for (std::size_t o = 0; o < r.out.size(); ++o)
    for (std::size_t a = 0; a < 4; ++a) coords(o, a) = r.out[o][a];
  return coords;
}

Integers counts_of(const Relation& r) {
  Integers counts({2});
  counts[0] = static_cast<std::int64_t>(r.edges.size());
  counts[1] = static_cast<std::int64_t>(r.out.size());
  return counts;
}

std::vector<std::int64_t> active_outputs(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t rows = std::clamp<std::int64_t>(out[2].read<std::int32_t>()[1], 0, out[0].dim(0));
  return {rows, rows, -1};
}

const char* const kConvInputs = R"(
  from   sites_in={c}.{n}x4.{v}.{sites}+i32.1.row.const-{a} x_in={t}.{n}x{in}.{l}.{x}
  from   w_in={t}.{dense?W5:W3}.{l}.{w} w={x} W3={K}x{in}x{out} W5={out}x{cube}x{in}
  from   bias_in={B?biased:nobias} biased={t}.{out}.{v}.{x} nobias={m<0?'-':'none'} v={l=='broadcast'?'row':l}
  from   goal_in={m<0?'-':goals} goals={c}.{m}x4.row.{sites}+i32.1.row.const-{a==n?m:a==0?0:m-1}
  from   n=30 a=27 in=3 out=5 k=3: s=1: p=0: d=1: K=27 cube=3x3x3 B=0 dense=0 m=-1 l=row
  from   sites=sites_negative c=i32 t=f32 x=int-3
)";

const char* const kConvTimed = R"(
  from   x=uniform sites=sites_surface a={n} in=64 out={in} t=f32
)";

std::string conv_call(RelationKind base, std::string_view inputs, std::string_view more) {
  return kernel_call(base, inputs, ",weight_layout={dense?'dense_5d':'-'}" + std::string(more)) +
         (takes_targets(base) ? "\nfrom both={-1,{n/2+3}}" : "\nfrom both=-1");
}

static constexpr const char* kRefusals = R"(
  from   coords=i32.8x4.row.sites_negative x={t}.{xs}.row.{y} w={u}.{ws}.row.{y} t=f32 xs=8x3 u={t} ws=27x3x5
  from   k=3: s=1: p=0: d=1: wl=- goal=-
  attribute k=0:1:1                # a kernel without extent
  attribute wl=last                # an unknown layout
  rank   wl=dense_5d               # three axes where five are needed
  shape  ws=26x3x5                 # a kernel row is missing
)";

std::string conv_refusals(RelationKind base, std::string_view inputs, std::string_view more) {
  std::string text = kernel_call(base, inputs, ",weight_layout={wl}" + std::string(more));
  text += "\nfrom if=1" + std::string(kRefusals);
  return base == RelationKind::submanifold ? text + "attribute k=2:3:3  # an even size has no centre\n" : text;
}

}  // namespace plumb::reference
