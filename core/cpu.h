// Which vector instructions this processor has, found at run time from feature bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plumb {

enum class Isa : std::uint8_t { base, avx2, avx512 };  // avx2: with fma and f16c; avx512: f, bw, dq, vl
std::string_view name(Isa);
Isa isa();          // the best the processor and the system allow, at most PLUMB_ISA if that is set
void set_isa(Isa);  // at most the best; for tests that visit every width
Isa best_isa();
std::string processor_name();

}  // namespace plumb
