#include "reports/across/merge.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/compare.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/files.h"
#include "reports/pages.h"
#include "reports/report.h"

namespace plumb::cli {

int merge(const MergeArgs& args) {
  const reports::Json whole = reports::merge(read_reports(args.parts));
  const bool report = whole.contains("schema");
  if (report && args.out.empty()) throw Error("plumb", Reason::query, "--out: a folder for the report is needed");
  if (report) {
    make_folder(args.out);
    write_file(args.out + "/report.json", reports::text_of(whole, 1) + "\n");
    reports::write_pages(whole, args.out + "/report");
  }
  if (args.json || !report) std::puts(reports::text_of(whole, 2).c_str());
  else std::printf("%s/report.json\n", args.out.c_str());
  const reports::Json& check = report ? whole.at("check") : whole;
  return check.contains("failed") && check.at("failed") > 0 ? kFailed : kGood;
}

}  // namespace plumb::cli
