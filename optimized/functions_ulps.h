// The largest errors of the functions of optimized/functions.h, in units in the last place of the result (that of
// subnormal numbers below the smallest normal one); of logaddexp, of the larger of |result| and |max(x, y)|.
//
// Measured for base and avx2 and rounded up by a tenth or more; avx512 has the same operations as avx2. Floats against
// binary64 functions: every 61st for exp to log1p, every 1021st for the others, a million pairs for those of two
// arguments. The largest was 0.5000 where 0.51 is stated; the doubles before rounding are good to 2^-39. Doubles
// against 80-bit functions, a million points each: every power of two and its neighbours, every binade, the ends of the
// range, near zeros and poles, doubles next to multiples of pi / 2.
//
// exp, log, log2 and log10 of floats are evaluated in binary32 by avx2 and avx512: every 211th float and a million more
// points near where they bend gave 0.75, 0.83, 0.67 and 0.62.
#pragma once

namespace plumb {

struct FunctionUlps {
  const char* name;
  int arguments;
  double ulps32, ulps64;
};

inline constexpr FunctionUlps kFunctionUlps[] = {
    {"exp", 1, 0.85, 0.9},     {"expm1", 1, 0.51, 1.35},    {"log", 1, 0.95, 0.9},     {"log2", 1, 0.8, 0.8},
    {"log10", 1, 0.75, 0.75},  {"log1p", 1, 0.51, 0.9},     {"sin", 1, 0.51, 0.9},     {"cos", 1, 0.51, 0.9},
    {"tan", 1, 0.51, 2.6},     {"arcsin", 1, 0.51, 1.8},    {"arccos", 1, 0.51, 1.25}, {"arctan", 1, 0.51, 1.05},
    {"sinh", 1, 0.51, 1},      {"cosh", 1, 0.51, 0.85},     {"tanh", 1, 0.51, 2.6},    {"arcsinh", 1, 0.51, 1.9},
    {"arccosh", 1, 0.51, 2.8}, {"arctanh", 1, 0.51, 2.1},   {"erf", 1, 0.51, 1.5},     {"erfinv", 1, 0.51, 3.1},
    {"sigmoid", 1, 0.51, 2.5}, {"sqrt", 1, 0.5, 0.5},       {"rsqrt", 1, 0.51, 1.65},  {"floor", 1, 0, 0},
    {"ceil", 1, 0, 0},         {"trunc", 1, 0, 0},          {"round_even", 1, 0, 0},   {"power", 2, 0.51, 0.85},
    {"arctan2", 2, 0.51, 1.6}, {"logaddexp", 2, 0.51, 2.7}, {"fmod", 2, 0, 0},
};
inline constexpr int kFunctions = sizeof kFunctionUlps / sizeof kFunctionUlps[0];

constexpr bool same_name(const char* a, const char* b) {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}
// Of the function called NAME_of: a name that the table lacks does not compile in a constant expression.
constexpr FunctionUlps function_ulps(const char* name) {
  for (const FunctionUlps& f : kFunctionUlps)
    if (same_name(f.name, name)) return f;
  throw name;
}

}  // namespace plumb
