// OpenCL routes of the operations of one number.
#include "gpu/array/scalar/scalar.h"

namespace plumb {
namespace {

constexpr auto kDivides = gpu::ScalarFunction::divides, kWords = gpu::ScalarFunction::words;

// The figures are those of the specification (OpenCL C 3.0, table 42); sigmoid and erfinv: kernels/array/functions.cl;
// degrees and radians: a rounded constant errs by up to an ulp of the product, which is rounded again.
constexpr gpu::ScalarFunction kFunctions[] = {
    {"square"},
    {"abs"},
    {"negative"},
    {"sign"},
    {"conjugate"},
    {"real"},
    {"imag"},
    {"floor"},
    {"ceil"},
    {"trunc"},
    {"isnan"},
    {"isinf"},
    {"isfinite"},
    {"isposinf"},
    {"isneginf"},
    {"logical_not"},
    {"bitwise_invert", 0.5, 0.5, kWords},
    {"sqrt", 0.5, 0.5, kDivides},
    {"rsqrt", 2, 2},
    {"exp", 3, 3},
    {"expm1", 3, 3},
    {"log", 3, 3},
    {"log2", 3, 3},
    {"log10", 3, 3},
    {"log1p", 2, 2},
    {"sin", 4, 4},
    {"cos", 4, 4},
    {"tan", 5, 5},
    {"arcsin", 4, 4},
    {"arccos", 4, 4},
    {"arctan", 5, 5},
    {"sinh", 4, 4},
    {"cosh", 4, 4},
    {"tanh", 5, 5},
    {"arcsinh", 4, 4},
    {"arccosh", 4, 4},
    {"arctanh", 5, 5},
    {"erf", 16, 16},
    {"erfinv", 16, 16},
    {"sigmoid", 10, 8},
    {"degrees", 1.5, 1.5},
    {"radians", 1.5, 1.5},
};

Order order(const Call& c) { return gpu::scalar_order(kFunctions, c); }

// Functions of complex numbers have kernels of their own: complex.cl.
bool is_function(const Call& c) {
  for (const gpu::ScalarFunction& f : kFunctions)
    if (f.name == c.op->name) return f.ulps32 > 0.5 || f.name == "sqrt";
  return false;
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  const bool complex = is_complex(c.dtype(0)) && is_function(c);
  return gpu::prepare_scalar(complex ? "complex" : "unary", c, specs);
}

}  // namespace

std::vector<Route> unary_gpu_routes() { return gpu::scalar_routes(kFunctions, order, prepare); }

}  // namespace plumb
