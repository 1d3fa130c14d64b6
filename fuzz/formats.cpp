// Any bytes as a file of tensors in any format: an Error(file), or tensors that fill their storage and nothing beside.
#include "core/formats/format.h"

#include <cstdint>
#include <utility>

#include "core/error.h"

namespace {

void touch(const plumb::Tensor& t) {
  const plumb::Tensor dense = contiguous(t);
  const auto bytes = static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes);
  if (!t.storage().guards_intact() || !dense.storage().guards_intact()) __builtin_trap();
  if (bytes > 0) (void)std::string(dense.read<char>(), bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  try {
    ByteSource file(std::string(reinterpret_cast<const char*>(data), size), "input");
    for (const auto& [name, tensor] : formats::read(std::move(file)).tensors) touch(tensor);
  } catch (const Error& e) {
    if (e.reason() != Reason::file && e.reason() != Reason::memory) __builtin_trap();
  }
  return 0;
}
