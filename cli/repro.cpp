#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "conformance/record.h"
#include "core/files.h"
#include "core/gate.h"
#include "core/text.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kShown = 8;  // elements of a failing output

struct Element {
  int output;
  std::int64_t at;
  double want, got, distance;
};

std::vector<double> values_of(const Wide& wide) {
  return std::visit(
      [](const auto& array) {
        std::vector<double> values;
        for (const auto& v : array.data) {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, Complex>) {
            values.push_back(v.real());
            values.push_back(v.imag());
          } else {
            values.push_back(static_cast<double>(v));
          }
        }
        return values;
      },
      wide);
}

double distance(double want, double got) {
  if (std::isnan(want) && std::isnan(got)) return 0;
  if (want == got) return std::signbit(want) == std::signbit(got) ? 0 : std::numeric_limits<double>::denorm_min();
  const double d = std::abs(want - got);
  return std::isnan(d) ? INFINITY : d;
}

// The elements farthest from the reference; complex ones count as two.
std::vector<Element> worst_elements(const Call& call, const Route& route) {
  const std::vector<Tensor> want = active(call, run(call, find_route(*call.op, kReference)));
  const std::vector<Tensor> all = run(call, route);
  const std::vector<Spec> specs = output_specs(call);
  std::vector<Element> found;
  for (std::size_t o = 0; o < specs.size(); ++o)
    if (o >= all.size() || all[o].spec() != specs[o]) return found;  // no elements to hold against each other
  const std::vector<Tensor> got = active(call, all);
  for (std::size_t o = 0; o < want.size(); ++o) {
    const std::vector<double> w = values_of(widen(want[o])), g = values_of(widen(got[o]));
    for (std::size_t i = 0; i < std::min(w.size(), g.size()); ++i)
      if (const double d = distance(w[i], g[i]); d > 0)
        found.push_back({static_cast<int>(o), static_cast<std::int64_t>(i), w[i], g[i], d});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Element& a, const Element& b) { return a.distance > b.distance; });
  if (found.size() > kShown) found.resize(kShown);
  return found;
}

void print_inputs(const Op& op, const std::vector<Tensor>& in) {
  for (std::size_t i = 0; i < in.size(); ++i)
    if (in[i].defined())
      std::printf("  %s: %s, strides %s\n", recorded_input(op, i).c_str(), to_string(in[i].spec()).c_str(),
                  to_string(in[i].strides()).c_str());
}

void print_elements(const char* data, const Call& call, const Route& route) {
  const std::vector<Element> worst = worst_elements(call, route);
  std::printf("  data set %s: %s\n", data,
              worst.empty() ? "a single run gives the reference's values" : "farthest off");
  if (worst.empty()) return;
  Table table({"<output", "element", "want", "got", "want (hex)", "got (hex)"});
  for (const Element& e : worst) {
    char want[32], got[32];
    std::snprintf(want, sizeof want, "%a", e.want);
    std::snprintf(got, sizeof got, "%a", e.got);
    table.row({std::string(call.op->outputs[static_cast<std::size_t>(e.output)]), std::to_string(e.at),
               number(e.want, 9), number(e.got, 9), want, got});
  }
  table.print();
}

struct Judged {
  const Route* route;
  Verdict verdict;
  std::optional<Setting> setting;  // of a CPU route
};

struct Options {
  std::uint64_t salt;
  std::vector<Setting> settings;
};

Verdict raw(const Op& op, const Reject& reject, Backend& backend) {
  if (std::optional<Verdict> v = judge_raw(op, reject, backend)) return *std::move(v);
  Verdict v;
  v.status = Status::refused;
  v.reason = "asked of no backend: its fault has no meaning in another interface";
  return v;
}

std::vector<Judged> judge_all(const Target& target, const Options& o) {
  const Op& op = *target.parsed.op;
  const std::vector<Reject> rejects = rejects_of(op);
  const Reject* reject = reject_of(rejects, op, id(op, target.parsed.call));
  std::unique_ptr<Judge> judge;
  if (!reject) judge = std::make_unique<Judge>(op, target.parsed.call, o.salt);
  std::vector<Judged> all;
  for (const Route& route : routes(op)) {
    if (!target.route.empty() && route.name != target.route) continue;
    const auto judged = [&] {
      const Device& device = device_of(route);
      if (Backend* const backend = reject ? backend_of(route) : nullptr) return raw(op, *reject, *backend);
      return reject ? judge_reject(op, *reject, route, device) : judge->on(route, device);
    };
    under_each(route, o.settings, judged, [&](const Verdict& v, const std::optional<Setting>& setting) {
      all.push_back({&route, v, setting});
    });
  }
  return all;
}

void print_verdict(const Target& target, const Judged& j, std::uint64_t salt) {
  const Verdict& v = j.verdict;
  const std::string where = j.setting ? " (" + to_string(*j.setting) + ")" : "";
  std::printf("%s  %s%s%s%s\n", std::string(name(v.status)).c_str(), std::string(j.route->name).c_str(), where.c_str(),
              v.reason.empty() ? "" : ": ", v.reason.c_str());
  if (v.status == Status::fail && v.cause != Cause::none)
    std::printf("  cause: %s\n", std::string(name(v.cause)).c_str());
  for (const std::string& line : v.log) std::printf("  | %s\n", line.c_str());
  if (v.status != Status::pass && v.status != Status::fail) return;
  const Op& op = *target.parsed.op;
  const Under under(j.setting.value_or(current_setting()));  // the elements shown are of the same run
  try {
    const Case& c = target.parsed.call;
    const Call call = make_call(op, realize(op, c, 2 * salt), c.attrs);
    const std::string order = j.route->order ? to_string(j.route->order(call)) : "exact";
    std::printf("  judged as %s; sums in the order: %s\n", std::string(name(op.tolerance.kind)).c_str(), order.c_str());
    if (const Backend* const b = backend_of(*j.route))
      std::printf("  declared: %s\n", b->declared(op).empty() ? "nothing" : b->declared(op).c_str());
    if (v.worst.ratio > 0 || !v.worst.what.empty()) std::printf("  worst: %s\n", to_string(v.worst).c_str());
    if (v.status != Status::fail) return;
    print_elements("A", call, *j.route);
    print_elements("B", make_call(op, realize(op, c, 2 * salt + 1), c.attrs), *j.route);
  } catch (const std::exception& e) {
    std::printf("  the call or the route raises: %s\n", e.what());
  }
}

reports::Json to_json(const Target& target, const std::vector<Judged>& all, std::uint64_t salt) {
  reports::Json out{
      {"case", id(*target.parsed.op, target.parsed.call)}, {"salt", salt}, {"routes", reports::Json::array()}};
  const std::string why = reason_of(*target.parsed.op, id(*target.parsed.op, target.parsed.call));
  if (!why.empty()) out["why"] = why;
  for (const auto& [route, v, setting] : all) {
    out["routes"].push_back({{"route", route->name},
                             {"status", name(v.status)},
                             {"reason", v.reason},
                             {"cause", name(v.cause)},
                             {"ratio", v.worst.ratio},
                             {"at", v.worst.at},
                             {"want", v.worst.want},
                             {"got", v.worst.got},
                             {"allowed", v.worst.allowed}});
    if (!setting) continue;
    out["routes"].back()["isa"] = name(setting->isa);
    out["routes"].back()["threads"] = setting->threads;
  }
  return out;
}

void dump(const std::string& folder, const Target& target, const std::vector<Judged>& all, std::uint64_t salt) {
  double allowed = 0;
  for (const Judged& j : all) allowed = std::max(allowed, j.verdict.worst.allowed);
  write_corpus(folder, recorded(*target.parsed.op, target.parsed.call, salt, allowed, ""));
}

struct Counts {
  std::int64_t passed = 0, failed = 0, skipped = 0;
};

Counts one(const Target& target, const ReproArgs& args, std::uint64_t salt, reports::Json& all_json) {
  const Op& op = *target.parsed.op;
  const std::vector<Judged> all = judge_all(target, {salt, settings(isas_named(args.isas), args.threads)});
  Counts n;
  for (const Judged& j : all)
    ++(j.verdict.status == Status::pass ? n.passed : j.verdict.status == Status::fail ? n.failed : n.skipped);
  if (args.json) {
    all_json.push_back(to_json(target, all, salt));
  } else {
    const std::string case_id = id(op, target.parsed.call), why = reason_of(op, case_id);
    std::printf("%s\n", case_id.c_str());
    if (!why.empty()) std::printf("why: %s\n", why.c_str());
    if (salt) std::printf("salt %llu\n", static_cast<unsigned long long>(salt));
    print_inputs(op, hollow(target.parsed.call));
    for (const Judged& j : all) print_verdict(target, j, salt);
  }
  if (!args.dump.empty()) dump(args.dump, target, all, salt);
  return n;
}

std::string backend_options() {
  std::string all;
  for (const Backend* b : backends()) all += b->option();
  return all;
}

}  // namespace

int repro(const ReproArgs& args) {
  const std::vector<Target> targets = targets_of(args.target);
  if (!args.dump.empty() && targets.size() > 1)
    throw Error("plumb", Reason::query,
                "--dump writes one case, and '" + args.target + "' stands for " + std::to_string(targets.size()));
  if (!args.dump.empty()) require_folder(args.dump);
  const std::uint64_t salt = salt_named(args.salt);
  reports::Json all = reports::Json::array();
  Counts sum;
  for (const Target& target : targets) {
    const Counts n = one(target, args, salt, all);
    sum.passed += n.passed, sum.failed += n.failed, sum.skipped += n.skipped;
  }
  if (args.json) {
    std::puts(reports::text_of(all.size() == 1 ? all[0] : all, 2).c_str());
  } else {
    if (args.dump.empty() && targets.size() == 1)
      std::printf("inputs and expected outputs as files: plumb repro %s%s --dump DIR\n",
                  (shell_word(args.target) + backend_options()).c_str(), salt_option(salt).c_str());
    std::printf("%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(sum.passed),
                static_cast<long long>(sum.failed), static_cast<long long>(sum.skipped));
  }
  return sum.failed ? kFailed : sum.passed ? kGood : kSkipped;
}

}  // namespace plumb::cli
