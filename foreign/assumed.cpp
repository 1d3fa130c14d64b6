// The arithmetic of whoever declares none. It is what no careful implementation exceeds: terms in any order, single
// precision (double for f64), no fused products, the functions of OpenCL's full profile.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "core/error.h"
#include "foreign/manifest.h"

namespace plumb::foreign {
namespace {

// Beside its sum, what each term and the sum may pass: a scale, a zero point, alpha and beta, a bias, a mean's
// quotient.
constexpr int kPrologue = 2, kEpilogue = 2;

struct Function {
  std::string_view written;  // as equations write it
  double ulps;
};

// OpenCL 3.0 C, relative error as ulps, single precision, full profile.
constexpr Function kFunctions[] = {{"e^", 3},      {"exp", 3},   {"log", 3},  {"sin", 4},    {"cos", 4},
                                   {"tan", 5},     {"sinh", 4},  {"cosh", 4}, {"tanh", 5},   {"asin", 4},
                                   {"acos", 4},    {"atan", 6},  {"erf", 16}, {"^b_i", 16},  {"|^", 16},
                                   {"sigmoid", 6}, {"gelu", 16}, {"silu", 6}, {"power", 16}, {"gamma", 16}};
constexpr double kNamesNone = 4, kOfAnother = 16;

// Of a result that is f64, or a whole number that is made of f64; c64 has parts of single precision.
Dtype usual_accumulator(const Call& call) {
  const std::vector<Spec> out = output_specs(call);
  const auto is_f64 = [](const Spec& s) { return s.dtype == Dtype::f64; };
  if (std::any_of(out.begin(), out.end(), is_f64)) return Dtype::f64;
  if (std::any_of(out.begin(), out.end(), [](const Spec& s) { return is_inexact(s.dtype); })) return Dtype::f32;
  return std::any_of(call.specs.begin(), call.specs.end(), [&](const auto& s) { return s && is_f64(*s); }) ? Dtype::f64
                                                                                                           : Dtype::f32;
}

Dtype component_of_output(const Call& call) {
  for (const Spec& s : output_specs(call))
    if (is_inexact(s.dtype)) return s.dtype == Dtype::c64 ? Dtype::f32 : s.dtype;
  return Dtype::f32;
}

double levels_of_two(std::int64_t n) {
  double levels = 0;
  while ((std::int64_t{1} << static_cast<int>(levels)) < n) ++levels;
  return levels;
}

// A pass of a prime p, as p sums of p products with twiddle factors. Each is off by (p + 3) u of the sum of moduli, by
// no more than sqrt p of the norm, so that all p are by sqrt p (p + 3) u of the norm of the result, and a level counts
// for 4 sqrt 2 u at the least: less than sqrt p (p + 5) / 5, and one for the factor behind.
double levels_of_prime(std::int64_t p) {
  const auto x = static_cast<double>(p);
  return p == 2 ? 1 : 1 + std::sqrt(x) * (x + 5) / 5;
}

// Two transforms of a power of two from 2 n - 1 on, three products, and the growth of the chirp's spectrum, whose
// modulus is sqrt n within a factor of 2.
double levels_of_chirp(std::int64_t n) { return 2 * (2 * (levels_of_two(2 * n - 1) + 1) + 3); }

constexpr std::int64_t kDirect = 64;  // primes beyond it are not summed directly by anybody

double levels_of(std::int64_t n, Fft algorithm) {
  if (n < 2) return 0;
  if (algorithm == Fft::direct) return levels_of_prime(n);
  if (algorithm == Fft::bluestein) return levels_of_chirp(n);
  double mixed = 0;
  std::int64_t rest = n, largest = 1;
  for (std::int64_t p = 2; rest > 1; p += p * p > rest ? rest - p : 1)
    for (; rest % p == 0; rest /= p) mixed += levels_of_prime(p), largest = p;
  if (algorithm == Fft::mixed_radix || largest <= 13) return mixed;
  return largest <= kDirect ? std::max(mixed, levels_of_chirp(n)) : levels_of_chirp(n);
}

const Attr* given(const Call& call, const char* name) {
  const Attr* a = call.attrs.find(name);
  return a && !a->none() ? a : nullptr;
}

// The lengths that a transform has along its axes: those that are given, or the larger extent of both sides.
std::vector<std::int64_t> lengths(const Call& call) {
  const Shape &in = call.shape(0), out = output_specs(call).at(0).shape;
  const auto extent = [&](std::size_t axis) { return std::max(in.at(axis), axis < out.size() ? out[axis] : 0); };
  std::vector<std::int64_t> all;
  if (given(call, "axis")) {
    const Attr* n = given(call, "n");
    all.push_back(n && n->get<std::int64_t>() ? *n->get<std::int64_t>()
                                              : extent(static_cast<std::size_t>(call.axis())));
    return all;
  }
  for (std::size_t axis = 0; axis < in.size(); ++axis) all.push_back(extent(axis));
  for (const char* name : {"s", "n_fft"})
    if (given(call, name))
      for (const std::int64_t n : call.list(name)) all.push_back(n);
  return all;
}

double levels_of(const Call& call, Fft algorithm) {
  double sum = 2;  // a scale, and the step between a real transform and a complex one
  for (const std::int64_t n : lengths(call)) sum += levels_of(n, algorithm);
  return sum;
}

// Those of several axes have bounds of their own, which count levels too.
bool is_transform(const Call& call) {
  using Class = Tolerance::Class;
  if (!call.has(0)) return false;  // frequencies
  const Class kind = call.op->tolerance.of(call);
  const auto names = [&](std::string_view part) { return call.op->name.find(part) != std::string_view::npos; };
  const bool named = names("fft") || names("stft") || names("hadamard");
  return kind == Class::normwise || (named && (kind == Class::residual || kind == Class::inherited));
}

double declared_ulps(const Claim& c, const Op& op) {
  if (c.ulps.empty()) return assumed_ulps(op);
  double most = 0;
  for (const auto& [function, ulps] : c.ulps) most = std::max(most, ulps);
  return most;
}

}  // namespace

double assumed_ulps(const Op& op) {
  double most = 0;
  const std::string text = std::string(op.name) + " " + std::string(op.equation);
  for (const Function& f : kFunctions)
    if (text.find(f.written) != std::string::npos) most = std::max(most, f.ulps);
  if (most > 0) return most;
  return op.tolerance.kind == Tolerance::Class::function ? kOfAnother : kNamesNone;
}

Order order_of(const Claim& c, const Call& call) {
  Order o;
  o.shape = c.shape, o.lanes = c.lanes, o.block = c.block;
  o.accumulator = c.same_accumulator ? component_of_output(call) : c.accumulator.value_or(usual_accumulator(call));
  o.fma = c.fma, o.truncating = c.truncating;
  o.reciprocal = true;
  o.input_rounding = c.inputs, o.partial = c.partials;
  o.prologue = kPrologue, o.epilogue = kEpilogue;
  o.function_ulps = declared_ulps(c, *call.op);
  if (!is_transform(call)) return o;
  o.levels = levels_of(call, c.fft);
  o.twiddle_error = 2 * info(o.accumulator).unit_roundoff();
  return o;
}

}  // namespace plumb::foreign
