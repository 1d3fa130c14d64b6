#include "core/formats/stored.h"

#include <limits>

#include "core/dtype.h"

namespace plumb {

bool overflows(const Shape& shape, int element_bytes) {
  std::int64_t room = std::numeric_limits<std::int64_t>::max() / element_bytes;
  for (const std::int64_t n : shape) {
    if (n > room) return true;
    if (n > 1) room /= n;
  }
  return false;
}

std::string no_truth(const char* elements, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i)
    if (const auto byte = static_cast<unsigned char>(elements[i]); byte > 1)
      return "bool element " + std::to_string(i) + " is " + std::to_string(byte) + ", not 0 or 1";
  return "";
}

std::string_view bytes_of(const Tensor& t) {
  const auto bytes = static_cast<std::size_t>(t.size() * info(t.dtype()).bytes);
  return bytes > 0 ? std::string_view(t.read<char>(), bytes) : std::string_view();
}

}  // namespace plumb
