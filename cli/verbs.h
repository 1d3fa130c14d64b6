// The verbs of `plumb`: each takes its parsed arguments and returns the exit code. main.cpp parses.
#pragma once

#include <string>
#include <vector>

namespace plumb::cli {

enum Exit : int { kGood = 0, kFailed = 1, kBad = 2, kSkipped = 77 };  // 77: what CTest shows as skipped

struct DevicesArgs {
  bool json = false;
};
struct ListArgs {
  std::string query, budget = "ci", pages;
  bool json = false, markdown = false, patterns = false;
};
struct CtestArgs {
  std::string program, out;
  std::vector<std::string> corpora;
};
struct ExplainArgs {
  std::string target;
  bool json = false;
};
struct CheckArgs {
  std::vector<std::string> queries, isas;
  std::vector<int> threads;
  std::string budget = "ci", route, salt, save_failures, shard = "1/1";
  std::vector<std::string> known;
  bool json = false, verbose = false;
};
struct ReproArgs {
  std::vector<std::string> isas;
  std::vector<int> threads;
  std::string target, dump, salt;
  bool json = false;
};
struct ReplayArgs {
  std::string folder, op = "*", case_id = "*", route = "natural";
  bool json = false, verbose = false;
};
struct EvalArgs {
  std::string op, in, attrs = "{}", out, route = "reference";
  bool json = false;
};

struct ConvertArgs {
  std::string from, to, as;
  bool json = false;
};
struct BenchArgs {
  std::vector<std::string> queries;
  std::vector<int> threads;
  std::string route, budget = "ci", salt, shard = "1/1";
  double min_time = 0.2, launch_limit = 5;
  int repetitions = 5;
  bool no_peers = false, json = false;
};
struct ReportArgs {
  std::vector<std::string> queries, against;
  std::string out, budget = "ci", salt, command, from;
  BenchArgs bench;
  bool json = false, no_bench = false, resume = false;
};
struct MergeArgs {
  std::vector<std::string> parts;
  std::string out;
  bool json = false;
};
struct CompareArgs {
  std::vector<std::string> reports;  // the newer one last
  double margin = 0.1;
  bool common = false, json = false, markdown = false, verbose = false;
};

int devices(const DevicesArgs&);
int list_ops(const ListArgs&);
int list_routes(const ListArgs&);
int list_cases(const ListArgs&);
int list_fills(const ListArgs&);
int list_ctest(const CtestArgs&);
int explain(const ExplainArgs&);
int check(const CheckArgs&);
int repro(const ReproArgs&);
int replay(const ReplayArgs&);
int eval(const EvalArgs&);
int convert(const ConvertArgs&);
int bench(const BenchArgs&);
int report(const ReportArgs&);
int merge(const MergeArgs&);
int compare(const CompareArgs&);

}  // namespace plumb::cli
