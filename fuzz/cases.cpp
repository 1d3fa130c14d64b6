// Any text as cases.json, beside a tensor called a: an Error(file), or cases.
#include <cstdint>
#include <cstring>

#include "core/corpus.h"
#include "core/error.h"

namespace {

std::string one_tensor() {
  std::string header = R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})";
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(24, '\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  static const std::string tensors = one_tensor();
  try {
    const auto open = [] { return Container(tensors, "data.safetensors"); };
    (void)parse_corpus({reinterpret_cast<const char*>(data), size}, open, "cases.json");
  } catch (const Error& e) {
    if (e.reason() != Reason::file) __builtin_trap();
  }
  return 0;
}
