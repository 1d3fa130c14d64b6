// NumPy's format of several arrays: a zip archive of .npy files, stored or deflated.
#pragma once

#include "core/formats/format.h"

namespace plumb::formats {

Contents read_npz(ByteSource);
void write_npz(Output&, const Contents&);  // stored

}  // namespace plumb::formats
