// The first two bytes choose an operation, any text behind them stands for --attrs: an Error, or a call of the row's
// first inputs whose outputs are inferred.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/route.h"
#include "core/strict_json.h"
#include "fuzz/tables.h"

namespace {

// The attributes of one of the rows' own cases, as the first bytes and the text that the target takes.
std::string some_attributes(unsigned draw) {
  using namespace plumb;
  const Parsed parsed = parse_case(fuzz::some_case(draw));
  nlohmann::json text = nlohmann::json::object();
  for (const auto& [name, value] : parsed.call.attrs)
    std::visit(
        [&, &key = name](const auto& v) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) text[key] = v;
        },
        value.value());
  const auto i = static_cast<std::size_t>(parsed.op - ops().data());
  return std::string{static_cast<char>(i % 256), static_cast<char>(i / 256)} + text.dump();
}

const plumb::Case& first_case(std::size_t i) {
  static std::vector<std::optional<plumb::Case>> firsts(plumb::ops().size());
  if (!firsts[i]) firsts[i] = plumb::ops()[i].cases().front();
  return *firsts[i];
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned draw) {
  return plumb::fuzz::mutate(data, size, most, draw, some_attributes);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  fuzz::install_rows();
  if (size < 2) return 0;
  const std::size_t i = (data[0] + 256u * data[1]) % ops().size();
  const Op& op = ops()[i];
  try {
    const nlohmann::json given = parse_strict({reinterpret_cast<const char*>(data + 2), size - 2}, "--attrs");
    if (!given.is_object()) return 0;
    const Case& first = first_case(i);
    Attrs attrs = first.attrs;
    for (const auto& [name, value] : attrs_of(given)) attrs.set(name, value);
    fuzz::infer_outputs(op, first.in, attrs);
  } catch (const Error&) {
  }
  return 0;
}
