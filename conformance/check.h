// The judge over the tables: runs cases of ops on routes and says what held.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/known.h"
#include "conformance/query.h"
#include "conformance/setting.h"
#include "conformance/step.h"
#include "core/backend.h"
#include "core/route.h"
#include "core/shard.h"

namespace plumb {

enum class Status : std::uint8_t {
  pass,
  fail,        // wrong value, shape, dtype, guard band, input changed, not repeatable, wrong error
  refused,     // the route's own conditions say no; counted by reason, never a pass
  mistrusted,  // nothing wrong was seen, but for some elements no finite bound follows: never a pass
  absent,      // the device that the route needs is not here
};
std::string_view name(Status);

struct Verdict {
  Status status = Status::pass;
  std::string reason;                 // of a refusal, or what failed, one line
  Deviation worst;                    // of the values; ratio 0 when exact
  double seconds = 0;                 // of the route's runs, uploads and downloads included
  std::int64_t compared = 0;          // elements held against the oracle, of all launches
  bool vacant = false;                // passed, but the outputs have no elements
  Cause cause = Cause::none;          // of a failure
  std::vector<std::string> log = {};  // of a failure of a backend: the last lines that it printed
};

// One case with its inputs and the oracle's answer, computed once and compared with many routes.
class Judge {
 public:
  // The data sets A and B are numbers 2 salt and 2 salt + 1 of `realize`.
  Judge(const Op&, const Case&, std::uint64_t salt = 0);
  ~Judge();
  // Runs A, B (other data, same shapes) and A twice more on one job: wrong values, stale outputs,
  // accumulation into old output, damaged guard bands, changed inputs and unrepeatable bits all fail.
  Verdict on(const Route&, const Device&);
  const std::string& case_id() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// With the values that the row states it for: other bytes may be a valid stream, so no salt changes them.
Verdict judge_reject(const Op&, const Reject&, const Route&, const Device&);

// The same of a backend, which is sent the call as it is, past the gate. No value where the fault of the call has no
// meaning in another interface: names of attributes, numbers of inputs.
std::optional<Verdict> judge_raw(const Op&, const Reject&, Backend&);

// What to say of a reject that is refused while it is made, so that no route is ever asked; no value for one whose
// fault only shows when it runs.
std::optional<Verdict> judge_gate(const Op&, const Reject&);

// Judges a device route and the reference once, a CPU route under each of the settings; one with instructions that
// this processor lacks is absent.
void under_each(const Route&, const std::vector<Setting>&, const std::function<Verdict()>& judge,
                const std::function<void(const Verdict&, const std::optional<Setting>&)>& found);

// At most one case in twenty of a row may be mistrusted on a route; beyond that the row is not judged.
bool too_many(std::int64_t mistrusted, std::int64_t cases);

// What is counted per op and route.
struct Tally {
  std::string op, route, tier;  // tier: the one the route is written for
  std::int64_t ran = 0;         // cases that the route really ran: passed, failed or mistrusted
  std::int64_t passed = 0, failed = 0, refused = 0, absent = 0, mistrusted = 0;
  std::int64_t rejects = 0;   // calls refused as they must be: passed where it was the route that refused them
  std::int64_t vacant = 0;    // of those passed: cases whose outputs have no elements
  std::int64_t compared = 0;  // elements held against the oracle
  double worst = 0;           // largest ratio of a passing case
  std::string worst_case;
  std::map<std::string, std::int64_t> reasons;  // refusals by reason
  std::map<std::string, std::int64_t> causes;   // failures by cause
  std::int64_t known = 0;                       // of those that failed: listed departures, which count as no failure
  double seconds = 0;
};

struct Failure {
  std::string case_id, op, route, message, repro;  // repro: the one-line command
  std::uint64_t salt = 0;
  std::optional<Setting> setting;  // of a CPU route
  Cause cause = Cause::none;
  std::vector<std::string> log = {};  // of a backend
};

struct CheckResult;

struct CheckOptions {
  std::vector<std::string> queries;  // see Queries; empty: all
  Budget budget = Budget::ci;
  std::string route = "all";  // all, natural, or a route name (globs allowed)
  std::uint64_t salt = 0;     // chooses the values of every case; 0: those of every run
  std::vector<Isa> isas;      // CPU routes run under each pair of these two; empty: as the process is set
  std::vector<int> threads;
  std::vector<Known> known = {};  // departures of backends
  Shard shard = {};               // of the operations that the queries name
  std::function<void(const Step&)> progress;
  std::function<void(const Failure&)> failed;
  const CheckResult* begun = nullptr;  // of an earlier run with these options: what it has of an operation is whole
  std::function<void(const CheckResult&, const Step&)> op_done;  // what is known when an operation is behind
};

struct CheckResult {
  std::vector<Tally> tallies;
  std::vector<Failure> failures;
  std::int64_t passed = 0, failed = 0, skipped = 0;  // skipped: refused or absent
  std::int64_t mistrusted = 0, compared = 0;
  std::int64_t known = 0;    // departures that are listed, and are as the list has them
  std::int64_t ran = 0;      // cases that ran on a route, each route by itself
  std::int64_t at_gate = 0;  // calls refused as they must be before any route was asked, each once
  std::uint64_t salt = 0;
  std::vector<Setting> settings;  // that CPU routes ran under
};

// Throws Error(query) for a query, op or route that matches nothing. What is refused at the gate counts as passed
// once, for no route; where cases were asked for and none ran, it proves nothing and does not count. A result with
// passed == 0 is a failure of the run, which the caller must report.
CheckResult check(const CheckOptions&);

// Cases were asked for, and none of them ran: refused, or no device.
bool nothing_ran(const CheckResult&);
std::string why_nothing_ran(const CheckResult&);

// The cases of an op that a budget holds, in row order; ids are unique.
std::vector<Case> cases_of(const Op&, Budget);

// The calls of an op that must be refused: what its row states, for each of its counts of rows those beyond, and what
// follows from its signature.
std::vector<Reject> rejects_of(const Op&);
// The latter alone: each size that must agree or is fixed one more and one less, ranks, types outside, inputs missing
// and one too many, attributes of another type. From the first case, and from each that shows another input or choice
// of axes, for these inputs.
std::vector<Reject> rejects_of_signature(const Op&);

// " --salt=7", and nothing for the salt that every command has anyway.
std::string salt_option(std::uint64_t salt);

}  // namespace plumb
