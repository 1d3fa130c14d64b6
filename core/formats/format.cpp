#include "core/formats/format.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/formats/gguf.h"
#include "core/formats/npy.h"
#include "core/formats/npz.h"
#include "core/strict_json.h"

namespace plumb::formats {
namespace {

Contents read_named(ByteSource file) {
  Container container(std::move(file));
  Contents all;
  for (const std::string& name : container.names()) {
    if (container.is_codes(name)) all.unread[name] = std::string(container.tag(name)) + ", for which there is no dtype";
    else all.tensors.emplace(name, container.tensor(name));
  }
  return all;
}

void write_named(Output& out, const Contents& contents) { write_safetensors(out, contents.tensors); }

std::string refuses_nothing(const Spec&) { return ""; }

Contents read_alone(ByteSource file) {
  Contents all;
  all.tensors.emplace("", read_npy(file));
  return all;
}

void write_alone(Output& out, const Contents& contents) { write_npy(out, contents.tensors.begin()->second); }

bool is_npy(std::string_view first) { return first.starts_with("\x93NUMPY"); }
bool is_zip(std::string_view first) { return first.starts_with("PK\3\4") || first.starts_with("PK\5\6"); }
bool is_gguf(std::string_view first) { return first.starts_with("GGUF"); }
bool is_other(std::string_view) { return true; }  // a length

constexpr Format kFormats[] = {

    {"npy", ".npy", is_npy, false, false, refuses_nothing, read_alone, write_alone},
    {"npz", ".npz", is_zip, true, false, refuses_nothing, read_npz, write_npz},
    {"gguf", ".gguf", is_gguf, true, true, gguf_refuses, read_gguf, write_gguf},
    {"safetensors", ".safetensors", is_other, true, false, refuses_nothing, read_named, write_named},
};

[[noreturn]] void cannot_hold(const Format& f, const std::string& tensor, const std::string& why) {
  throw Error("plumb", Reason::unsupported,
              std::string(f.name) + " has no form for " + (tensor.empty() ? "this" : excerpt(tensor)) + ": " + why);
}

void require_room(const Format& f, const Contents& contents) {
  if (!f.named && contents.tensors.size() != 1)
    cannot_hold(f, "", std::to_string(contents.tensors.size()) + " tensors in a file of one");
  if (!f.metadata && !contents.metadata.empty()) cannot_hold(f, contents.metadata.begin()->first, "it is metadata");
  if (!contents.unread.empty()) cannot_hold(f, contents.unread.begin()->first, contents.unread.begin()->second);
  for (const auto& [name, tensor] : contents.tensors) {
    if (f.named && name.empty()) cannot_hold(f, "", "a tensor without a name");
    if (const std::string why = f.refuses(tensor.spec()); !why.empty()) cannot_hold(f, name, why);
  }
}

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

const Format& format_for(std::string_view path) {
  std::string known;
  for (const Format& f : kFormats) {
    if (path.ends_with(f.suffix)) return f;
    known += " " + std::string(f.suffix);
  }
  throw Error("plumb", Reason::file, std::string(path) + ": no format has this ending; there are" + known);
}

const Format& format_of(ByteSource& file) {
  char first[8];
  const std::uint64_t there = std::min<std::uint64_t>(file.reach(sizeof first), sizeof first);
  file.read(0, there, first);
  const std::string_view begins(first, static_cast<std::size_t>(there));
  return *std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return f.begins(begins); });
}

Contents read(ByteSource file) {
  const Format& format = format_of(file);
  return format.read(std::move(file));
}

Contents read(const std::string& path) { return read(ByteSource(path)); }

void write(Output& out, const Format& format, const Contents& contents) {
  require_room(format, contents);
  format.write(out, contents);
}

void write(const std::string& path, const Contents& contents) {
  const Format& format = format_for(path);
  require_room(format, contents);
  Output out(path);
  format.write(out, contents);
  out.commit();
}

}  // namespace plumb::formats
