// Any bytes as what a backend says: a Fault(protocol), or frames whose parts are what they are read as. The first byte
// chooses: the rest is what arrives, in pieces of that size, or, where it is odd, the text of one frame.
#include "foreign/frames.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "foreign/manifest.h"
#include "fuzz/tables.h"

namespace {

using namespace plumb;
using namespace plumb::foreign;

template <class Read>
void reads(Read&& read) {
  try {
    read();
  } catch (const Fault& f) {
    if (f.cause() != Cause::protocol || std::string(f.what()).size() > 4000) __builtin_trap();
  }
}

void use(const Json& frame) {
  if (!frame.is_object()) __builtin_trap();
  for (const char* key : {"error", "what", "name", "version"})
    reads([&] {
      const std::string text = text_at(frame, key);
      if (text.size() > kMaxText + 3 || text.find('\x1b') != std::string::npos) __builtin_trap();
    });
  reads([&] {
    for (const Described& d : outputs_of(frame)) {
      if (d.offset < 0) __builtin_trap();
      if (d.ours)
        for (const std::int64_t n : d.ours->shape)
          if (n < 0) __builtin_trap();
    }
  });
  reads([&] { (void)integer_at(frame, "protocol", 1, 1); });
  reads([&] { (void)list_at(frame, "refuse", 1000); });
  reads([&] {
    for (const auto& [op, claim] : manifest_of(frame)) (void)find_op(op);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  fuzz::install_rows();
  std::string stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 2 ? SIZE_MAX : data[0] + 1u;
  if (data[0] % 2) {
    std::string length;
    for (int byte = 0; byte < 4; ++byte) length += static_cast<char>(stream.size() >> (8 * byte) & 0xFF);
    stream.insert(0, length);
  }
  FrameReader reader;
  reads([&] {
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n = std::min(piece, stream.size() - at);
      reader.add(stream.data() + at, n);
      at += n;
      while (const std::optional<Json> frame = reader.next()) use(*frame);
    }
  });
  return 0;
}
