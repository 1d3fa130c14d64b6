// The GGUF container of ggml, versions 2 and 3, little-endian: metadata of thirteen types, then tensors.
#pragma once

#include "core/formats/format.h"

namespace plumb::formats {

// f16, bf16, f32, f64 and i8 to i64, of one to four axes, the last one fastest as everywhere here (the file lists sizes
// in the other order). Tensors of blocks of codes stay unread.
Contents read_gguf(ByteSource);
std::string gguf_refuses(const Spec&);
void write_gguf(Output&, const Contents&);  // metadata are texts

}  // namespace plumb::formats
