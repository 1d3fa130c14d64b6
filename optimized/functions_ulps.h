// The largest errors of the functions of optimized/functions.h, in units in the last place of the result (that of
// subnormal numbers below the smallest normal one).
#pragma once

namespace plumb {

struct FunctionUlps {
  const char* name;
  int arguments;
  double ulps32, ulps64;
};

inline constexpr FunctionUlps kFunctionUlps[] = {
    {"exp", 1, 1, 3},     {"expm1", 1, 1, 3},      {"log", 1, 1, 3},     {"log2", 1, 1, 3},    {"log10", 1, 1, 3},
    {"log1p", 1, 1, 3},   {"sin", 1, 1, 3},        {"cos", 1, 1, 3},     {"tan", 1, 1, 3},     {"arcsin", 1, 1, 3},
    {"arccos", 1, 1, 3},  {"arctan", 1, 1, 3},     {"sinh", 1, 1, 3},    {"cosh", 1, 1, 3},    {"tanh", 1, 1, 3},
    {"arcsinh", 1, 1, 3}, {"arccosh", 1, 1, 3},    {"arctanh", 1, 1, 3}, {"erf", 1, 1, 3},     {"erfinv", 1, 1, 4},
    {"sigmoid", 1, 1, 3}, {"sqrt", 1, 0.5, 0.5},   {"rsqrt", 1, 1, 2},   {"floor", 1, 0, 0},   {"ceil", 1, 0, 0},
    {"trunc", 1, 0, 0},   {"round_even", 1, 0, 0}, {"power", 2, 1, 3},   {"arctan2", 2, 1, 3}, {"logaddexp", 2, 1, 3},
    {"fmod", 2, 0, 0},
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
