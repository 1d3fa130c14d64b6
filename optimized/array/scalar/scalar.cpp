#include "optimized/array/scalar/scalar.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "core/limits.h"
#include "core/pool.h"
#include "optimized/array/operand.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/functions_ulps.h"
#include "optimized/nest.h"
#include "plans/array/scalar/operand.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void load_tile(Element t, const void* from, void* tile, std::int64_t n))
PLUMB_DECLARE_SIMD(void store_tile(Lane in, Element t, const void* tile, void* to, std::int64_t n))

namespace {

constexpr Limit kTile{"scalar.tile", kTileElements, 8};  // elements computed at once
constexpr std::int64_t kGrain = 1 << 15;                 // elements worth a thread
constexpr std::int64_t kWhole = 16;                      // elements: whole vectors of every lane

// Whether lanes are stored as they are computed in.
bool plain(Element t) { return t == Element::f32 || t == Element::f64 || t == Element::i64 || t == Element::u64; }

// Whether an operand counts by what is not 0.
bool is_condition(const Call& c, std::size_t k) { return k == 0 && c.op->name == "where"; }

// An operand as tiles of lanes.
struct Operand {
  const std::byte* first;
  std::int64_t bytes, step;  // of a stored element; innermost stride
  Element type;              // of the operation
  Convert test = nullptr;    // of a condition: to bool, before it is converted
  Convert convert;           // null: elements of that type, side by side
  std::array<std::byte, kTileElements> tested;
  alignas(64) std::array<std::byte, kTileElements * 8> converted;
  alignas(64) std::array<std::byte, kTileBytes> lanes;

  Operand(const Tensor& t, Dtype to, std::int64_t inner, bool condition)
      : first(t.read<std::byte>()), bytes(info(t.dtype()).bytes), step(inner), type(element_of(to)) {
    convert = t.dtype() == to && step == 1 ? nullptr : converter(condition ? Dtype::boolean : t.dtype(), to);
    if (condition && convert && t.dtype() != Dtype::boolean) test = converter(t.dtype(), Dtype::boolean);
  }
  const void* at(std::int64_t offset, std::int64_t n) {
    const std::byte* from = first + offset * bytes;
    if (test) {
      test(from, step, tested.data(), n);
      from = tested.data();
    }
    if (convert) {
      convert(from, test ? 1 : step, converted.data(), n);
      from = converted.data();
    }
    if (plain(type) && n % kWhole == 0) return from;
    PLUMB_DISPATCH(load_tile)(type, from, lanes.data(), n);
    return lanes.data();
  }
};

template <std::size_t N>
void run_on(const Call& c, const std::vector<Tensor>& in, const ScalarKernel& kernel, const Tensor& z) {
  const Dtype t = computed_in(c);
  const ScalarParameters p = scalar_parameters(c);
  const Lane lane = lane_of(element_of(t));
  const TileFunction f = kernel.lanes[static_cast<int>(lane)];
  if (!f) throw std::logic_error(std::string(c.op->name) + " has no kernel for " + std::string(name(t)));
  std::array<Strides, N + 1> strides;
  for (std::size_t k = 0; k < N; ++k) strides[k] = broadcast_strides(in[k], z.shape());
  strides[N] = row_major(z.shape());
  const auto loops = nest<N + 1>(z.shape(), strides);
  const auto to = element_of(z.dtype());
  const bool direct = plain(to) && lane_of(to) == lane;
  const std::int64_t bytes = info(z.dtype()).bytes;
  std::byte* out = z.write<std::byte>();
  parallel_for(z.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Operand> operands;  // each thread has its own tiles
    for (std::size_t k = 0; k < N; ++k) operands.emplace_back(in[k], t, loops.strides[k].back(), is_condition(c, k));
    alignas(64) std::array<std::byte, kTileBytes> result;
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, N + 1>& at, std::int64_t length) {
      const std::int64_t most = kTile.of(length);
      for (std::int64_t i = 0; i < length; i += most) {
        const std::int64_t n = std::min(most, length - i);
        std::array<const void*, N> x;
        for (std::size_t k = 0; k < N; ++k) x[k] = operands[k].at(at[k] + i * operands[k].step, n);
        std::byte* y = out + (at[N] + i) * bytes;
        const bool whole = direct && n % kWhole == 0;
        f(x.data(), whole ? y : result.data(), n, element_of(t), p.value.data());
        if (!whole) PLUMB_DISPATCH(store_tile)(lane, to, result.data(), y, n);
      }
    });
  });
}

const ScalarKernel& kernel_named(std::string_view name, const ScalarKernel* list) {
  while (list->name && list->name != name) ++list;
  return *list;
}

// Complex numbers are computed in double, where a product of parts is exact: a sum of two and a quotient by one. Their
// functions are up to twelve operations, of which functions err by 3 ulps, and each is well conditioned where it
// stands.
constexpr double kComplexUlps = 8, kComplexFunctionUlps = 64;

bool is_function(std::string_view op) {
  const auto named = [op](const FunctionUlps& f) { return op == f.name; };
  return std::any_of(std::begin(kFunctionUlps), std::end(kFunctionUlps), named);
}

// A product with a rounded constant, which errs by up to an ulp of the product, is rounded again.
constexpr double kScaledUlps = 1.5;

Order order(const Call& c) {
  if (is_complex(computed_in(c))) {
    const double ulps = is_function(c.op->name) ? kComplexFunctionUlps : kComplexUlps;
    return scalar_order(c, ulps, ulps);
  }
  if (c.op->name == "degrees" || c.op->name == "radians") return scalar_order(c, kScaledUlps, kScaledUlps);
  for (const FunctionUlps& f : kFunctionUlps)
    if (c.op->name == f.name) return scalar_order(c, f.ulps32, f.ulps64);
  return scalar_order(c, 0.5, 0.5);
}

}  // namespace

Order scalar_order(const Call& c, double ulps32, double ulps64) {
  const Dtype t = computed_in(c);
  const bool narrow = is_real(t) && t != Dtype::f64;
  Order o;
  o.accumulator = narrow ? Dtype::f32 : Dtype::f64;
  o.function_ulps = narrow ? ulps32 : ulps64;
  return o;
}

Route scalar_route(const ScalarKernel& kernel) {
  Route r;
  r.op = kernel.name;
  r.name = "cpu.each";
  r.order = order;
  return r;
}

void run_scalar(const Call& c, const ScalarKernel* list, std::string_view name, const Tensor& out) {
  if (out.size() == 0) return;
  const ScalarKernel& kernel = kernel_named(name, list);
  const std::vector<Tensor> in = scalar_operands(c);
  if (in.size() == 1) run_on<1>(c, in, kernel, out);
  else if (in.size() == 2) run_on<2>(c, in, kernel, out);
  else run_on<3>(c, in, kernel, out);
}

}  // namespace plumb
