// Any bytes as a safetensors file: an Error(file), or tensors whose bytes are all there, no byte in two of them, and
// none written beside its storage.
#include "core/safetensors.h"

#include <cstdint>
#include <cstring>

#include "core/error.h"

namespace {

using plumb::Container;

// Bytes of the file that a tensor takes, at the least: a code has four bits or more. Guard bands lie around a storage,
// where the address sanitizer sees nothing.
double bytes_taken(Container& file, const std::string& name) {
  const plumb::Tensor t = file.tensor(name);
  const char* data = t.size() > 0 ? t.read<char>() : nullptr;
  const auto bytes = static_cast<std::size_t>(t.size() * info(t.dtype()).bytes);
  if (!t.storage().guards_intact() || t.storage().bytes() != bytes) __builtin_trap();
  if (bytes > 0) (void)std::string(data, bytes);
  return static_cast<double>(bytes) * (file.is_codes(name) ? 0.5 : 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  try {
    Container file(std::string(reinterpret_cast<const char*>(data), size), "input");
    std::uint64_t header = 0;
    std::memcpy(&header, data, sizeof header);
    double taken = 0;
    for (const std::string& name : file.names()) {
      try {
        taken += bytes_taken(file, name);
      } catch (const Error& e) {
        if (e.reason() != Reason::file) __builtin_trap();
      }
    }
    if (taken > static_cast<double>(size - sizeof header - header)) __builtin_trap();
  } catch (const Error& e) {
    if (e.reason() != Reason::file) __builtin_trap();
  }
  return 0;
}
