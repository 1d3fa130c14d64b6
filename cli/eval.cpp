#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "cli/words.h"
#include "conformance/replay.h"
#include "core/strict_json.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

std::vector<Tensor> inputs_of(const Op& op, const TensorMap& tensors, const std::string& file) {
  std::vector<Tensor> in(op.inputs.size());
  for (const auto& [name, tensor] : tensors) {
    std::size_t i = 0;
    while (i < op.inputs.size() && input_name(op.inputs[i]) != name) ++i;
    if (i == op.inputs.size()) {
      std::string known;
      for (const auto input : op.inputs) known += " " + input_name(input);
      throw Error(op.name, Reason::arity, file + ": no input is called \"" + name + "\"; they are" + known);
    }
    in[i] = tensor;
  }
  while (!in.empty() && !in.back().defined()) in.pop_back();
  return in;
}

}  // namespace

int eval(const EvalArgs& args) {
  const Op& op = find_op(args.op);
  const nlohmann::json attrs = parse_strict(args.attrs, "--attrs");
  if (!attrs.is_object()) throw Error(op.name, Reason::attribute, "--attrs is not an object: " + excerpt(attrs));
  const Call call = make_call(op, inputs_of(op, read_safetensors(args.in), args.in), attrs_of(attrs));
  const std::vector<Tensor> out = run(call, find_route(op, args.route));
  TensorMap named;
  for (std::size_t i = 0; i < out.size(); ++i) named.emplace(std::string(op.outputs[i]), out[i]);
  write_safetensors(args.out, named);
  reports::Json summary{{"op", op.name}, {"route", args.route}, {"out", args.out}};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string spec = to_string(out[i].spec());
    summary["outputs"][std::string(op.outputs[i])] = spec;
    if (!args.json) std::printf("%s: %s\n", std::string(op.outputs[i]).c_str(), spec.c_str());
  }
  if (args.json) std::puts(summary.dump(2).c_str());
  return kGood;
}

}  // namespace plumb::cli
