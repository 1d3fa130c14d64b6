// Any text as the id of a case: an Error, or a case whose id is read back as itself and whose outputs are inferred.
#include <cstdint>
#include <string_view>

#include "core/op.h"
#include "fuzz/tables.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned draw) {
  return plumb::fuzz::mutate(data, size, most, draw, plumb::fuzz::some_case);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  fuzz::install_rows();
  try {
    const Parsed parsed = parse_case({reinterpret_cast<const char*>(data), size});
    const std::string text = id(*parsed.op, parsed.call);
    if (id(*parsed.op, parse_case(text).call) != text) __builtin_trap();
    fuzz::infer_outputs(*parsed.op, parsed.call.in, parsed.call.attrs);
  } catch (const Error&) {
  }
  return 0;
}
