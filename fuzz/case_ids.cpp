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
    std::vector<std::optional<Spec>> specs;
    for (const auto& in : parsed.call.in)
      specs.push_back(in ? std::optional(Spec{in->dtype, in->shape}) : std::nullopt);
    const Request request = make_request(*parsed.op, std::move(specs), parsed.call.attrs);
    const std::size_t n = parsed.op->infer(request).size();
    if (n == 0 || n > parsed.op->outputs.size()) __builtin_trap();  // the last ones may be left out
  } catch (const Error&) {
  }
  return 0;
}
