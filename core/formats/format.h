// Files of tensors, one row a format: npy, npz, safetensors, gguf. Whatever is wrong with a file is Error(file) that
// names it, before anything of it is believed; a tensor that a format has no form for is Error(unsupported) before
// anything is written.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/files.h"
#include "core/safetensors.h"
#include "core/tensor.h"

namespace plumb::formats {

struct Contents {
  TensorMap tensors;                            // the only one of a format without names is called ""
  std::map<std::string, std::string> unread;    // tensors whose elements have no dtype here, and what they are
  std::map<std::string, std::string> metadata;  // texts; other values as they would be printed
};

struct Format {
  std::string_view name;                   // "npy"
  std::string_view suffix;                 // ".npy"
  bool (*begins)(std::string_view first);  // whether these are the first eight bytes of such a file
  bool named;                              // it holds tensors by name, else one alone
  bool metadata;                           // it holds texts by name
  // Why there is no form for such a tensor, or "".
  std::string (*refuses)(const Spec&);
  Contents (*read)(ByteSource);
  void (*write)(Output&, const Contents&);  // which this format does not refuse; the caller commits
};

std::span<const Format> all_formats();

// By the ending of a path. Throws Error(file) that lists those known.
const Format& format_for(std::string_view path);

// By the first bytes of a file: its name may lie. What begins like none of the others is taken for safetensors.
const Format& format_of(ByteSource&);

// What a file holds. Throws Error(file).
Contents read(ByteSource);
Contents read(const std::string& path);

// All that `contents` holds, or nothing; what was unread cannot be written. Throws Error(unsupported) naming the tensor
// and the reason, Error(file) where nothing can be written.
void write(const std::string& path, const Contents& contents);
void write(Output&, const Format&, const Contents&);

}  // namespace plumb::formats
