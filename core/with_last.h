// A function with its last arguments given: rows and routes that differ in a constant share the code behind it.
#pragma once

namespace plumb {

// f with its last arguments given, where a row wants a plain function of the others: `.oracle = with_last<vjp, kind>`.
template <auto f, auto... last>
inline constexpr auto with_last = [](const auto&... first) { return f(first..., last...); };

}  // namespace plumb
