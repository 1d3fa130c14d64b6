#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/verbs.h"
#include "core/formats/format.h"
#include "core/text.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

using formats::Contents;
using formats::Format;

const Format& wanted(const ConvertArgs& args) { return formats::format_for(args.as.empty() ? args.to : "." + args.as); }

// A file of one tensor has no name for it: it is called x then, as most operations call their only input.
void rename_between(const Format& to, Contents& all) {
  if (all.tensors.size() != 1) return;
  auto only = all.tensors.extract(all.tensors.begin());
  if (to.named && only.key().empty()) only.key() = "x";
  if (!to.named) only.key() = "";
  all.tensors.insert(std::move(only));
}

}  // namespace

int convert(const ConvertArgs& args) {
  const Format& format = wanted(args);
  Contents all = formats::read(args.from);
  rename_between(format, all);
  if (!format.metadata && !std::exchange(all.metadata, {}).empty())
    std::fprintf(stderr, "%s holds no metadata: that of the file is left out\n", std::string(format.name).c_str());
  Output out(args.to);
  formats::write(out, format, all);
  out.commit();
  FILE* text = out.is_standard_output() ? stderr : stdout;
  reports::Json summary{{"from", args.from}, {"to", args.to}, {"format", format.name}};
  for (const auto& [name, t] : all.tensors) {
    summary["tensors"][name] = to_string(t.spec());
    if (!args.json) std::fprintf(text, "%s: %s\n", printable(name).c_str(), to_string(t.spec()).c_str());
  }
  if (args.json) std::fprintf(text, "%s\n", reports::text_of(summary, 2).c_str());
  return kGood;
}

}  // namespace plumb::cli
