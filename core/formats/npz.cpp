#include "core/formats/npz.h"

#include "core/error.h"
#include "core/formats/bytes.h"
#include "core/formats/npy.h"
#include "core/formats/stored.h"
#include "core/formats/zip.h"
#include "core/strict_json.h"

namespace plumb::formats {
namespace {

constexpr std::string_view kSuffix = ".npy";

}  // namespace

Contents read_npz(ByteSource file) {
  Contents all;
  for (const Member& m : members(file)) {
    if (!m.name.ends_with(kSuffix)) fail(file, "the member " + excerpt(m.name) + " is no .npy file");
    const std::string name = m.name.substr(0, m.name.size() - kSuffix.size());
    if (all.tensors.contains(name)) fail(file, "two members are called " + excerpt(m.name));
    ByteSource bytes(unpacked(file, m), file.name() + ": " + m.name);
    all.tensors.emplace(name, read_npy(bytes));
  }
  return all;
}

void write_npz(Output& out, const Contents& contents) {
  ZipWriter zip(out);
  for (const auto& [name, tensor] : contents.tensors) {
    const Tensor dense = contiguous(tensor);
    zip.add(name + std::string(kSuffix), npy_header(dense.spec()), bytes_of(dense));
  }
  zip.end();
}

}  // namespace plumb::formats
