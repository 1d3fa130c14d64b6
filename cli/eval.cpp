#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "cli/words.h"
#include "conformance/replay.h"
#include "core/files.h"
#include "core/formats/format.h"
#include "core/strict_json.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

std::size_t input_called(const Op& op, const std::string& name, const std::string& file) {
  std::string known;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (input_name(op.inputs[i]) == name) return i;
    known += " " + std::string(input_name(op.inputs[i]));
  }
  throw Error(op.name, Reason::arity, file + ": no input is called " + excerpt(name) + "; they are" + known);
}

// Codes of small floats go to an operation that takes bytes there and no other integers: one that does would compute
// with them as if they were numbers.
void require_codes(const Op& op, std::vector<std::optional<Spec>> specs, const Attrs& attrs, std::size_t i,
                   std::string_view tag) {
  specs[i]->dtype = Dtype::i8;
  try {
    (void)output_specs(make_request(op, specs, attrs));
  } catch (const Error&) {
    return;
  }
  throw Error(
      op.name, Reason::dtype,
      "'" + std::string(input_name(op.inputs[i])) + "' is " + std::string(tag) + ", and is taken for numbers here");
}

Call call_of(const Op& op, Container file, const Attrs& attrs) {
  const std::vector<std::string> names = file.names();
  for (const std::string& name : names) (void)input_called(op, name, file.name());
  std::vector<Tensor> in(op.inputs.size());
  for (const std::string& name : names) in[input_called(op, name, file.name())] = file.tensor(name);
  Call call = make_call(op, in, attrs);
  for (const std::string& name : names)
    if (file.is_codes(name)) require_codes(op, call.specs, attrs, input_called(op, name, file.name()), file.tag(name));
  return call;
}

// Of another format than safetensors: all of it is read. A tensor without a name is the first input.
Call call_of(const Op& op, const formats::Contents& all, const std::string& path, const Attrs& attrs) {
  std::vector<Tensor> in(op.inputs.size());
  for (const auto& [name, why] : all.unread) throw Error(op.name, Reason::dtype, path + ": '" + name + "' has " + why);
  for (const auto& [name, tensor] : all.tensors) in[name.empty() ? 0 : input_called(op, name, path)] = tensor;
  return make_call(op, in, attrs);
}

constexpr std::string_view kUsual = "safetensors";

Call read_call(const Op& op, const std::string& path, const Attrs& attrs) {
  ByteSource file(path);
  if (const formats::Format& f = formats::format_of(file); f.name != kUsual)
    return call_of(op, f.read(std::move(file)), path, attrs);
  return call_of(op, Container(std::move(file)), attrs);
}

// By its ending; a file whose name has none, standard output too, is safetensors. Throws Error(file) if no format has
// that ending.
const formats::Format& wanted_format(const std::string& path) {
  const std::filesystem::path ending = std::filesystem::path(path).extension();
  return formats::format_for(ending.empty() ? ".safetensors" : path);
}

void write_outputs(Output& file, const formats::Format& format, TensorMap named) {
  if (format.name == kUsual) return write_safetensors(file, named);
  if (!format.named && named.size() == 1) named = {{"", named.begin()->second}};
  formats::write(file, format, {std::move(named), {}, {}});
}

}  // namespace

int eval(const EvalArgs& args) {
  const Op& op = find_op(args.op);
  const bool natural = args.route == "natural";
  if (!natural) (void)find_route(op, args.route);
  const nlohmann::json attrs = parse_strict(args.attrs, "--attrs");
  if (!attrs.is_object()) throw Error(op.name, Reason::attribute, "--attrs is not an object: " + excerpt(attrs));
  const formats::Format& format = wanted_format(args.out);
  Output file(args.out);
  const Call call = read_call(op, args.in, attrs_of(attrs));
  const Route& route = natural ? *select(call, current_device()).route : find_route(op, args.route);
  const std::vector<Tensor> out = active(call, run(call, route));
  TensorMap named;
  for (std::size_t i = 0; i < out.size(); ++i) named.emplace(std::string(op.outputs[i]), out[i]);
  write_outputs(file, format, named);
  file.commit();
  FILE* text = file.is_standard_output() ? stderr : stdout;
  reports::Json summary{{"op", op.name}, {"route", route.name}, {"out", args.out}};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string spec = to_string(out[i].spec());
    summary["outputs"][std::string(op.outputs[i])] = spec;
    if (!args.json) std::fprintf(text, "%s: %s\n", std::string(op.outputs[i]).c_str(), spec.c_str());
  }
  if (args.json) std::fprintf(text, "%s\n", reports::text_of(summary, 2).c_str());
  return kGood;
}

}  // namespace plumb::cli
