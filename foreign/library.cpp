#include "foreign/library.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/gate.h"
#include "core/strict_json.h"
#include "core/text.h"

namespace plumb::foreign {
namespace {

constexpr std::string_view kReasons[] = {"arity", "attribute", "axis", "device", "domain",      "dtype", "memory",
                                         "rank",  "shape",     "spec", "input",  "unsupported", "raised"};
constexpr std::size_t kMaxName = 32, kBatch = 1000;
constexpr std::int64_t kProtocol = 2;
constexpr std::size_t kAhead = std::size_t{64} << 20;  // bytes of outputs that are held to save waiting

// {"error":REASON,"what":TEXT}; a reason that is none of the words is nonsense.
std::pair<std::string, std::string> error_of(const Json& answer) {
  std::string reason = text_at(answer, "error"), what = answer.contains("what") ? text_at(answer, "what") : "";
  if (std::find(std::begin(kReasons), std::end(kReasons), reason) == std::end(kReasons))
    nonsense("the error \"" + reason + "\", which is no reason");
  return {std::move(reason), std::move(what)};
}

[[noreturn]] void fault_of(const std::string& reason, const std::string& what) {
  if (reason == "memory") throw Fault(Cause::memory, "had not the memory: " + what);
  if (reason == "input") throw Fault(Cause::input_changed, "tried to write an input: " + what);
  if (reason == "spec") throw Fault(Cause::spec, "gives another result: " + what);
  if (reason == "unsupported") throw Fault(Cause::claims_but_refuses, "claims the call, and then refuses: " + what);
  throw Fault(Cause::raised, "raised " + reason + ": " + what);
}

Json spec_json(const Spec& s) { return {{"dtype", plumb::name(s.dtype)}, {"shape", s.shape}}; }

Json hollow_json(const std::vector<Tensor>& in) {
  Json list = Json::array();
  for (const Tensor& t : in) {
    list.push_back(t.defined() ? spec_json(t.spec()) : Json());
    if (t.defined()) list.back()["strides"] = t.strides();
  }
  return list;
}

Json specs_json(const std::vector<Spec>& specs) {
  Json list = Json::array();
  for (const Spec& s : specs) list.push_back(spec_json(s));
  return list;
}

std::size_t bytes_of(const Spec& s) {
  return static_cast<std::size_t>(count(s.shape)) * static_cast<std::size_t>(info(s.dtype).bytes);
}

bool plain_name(const std::string& name) {
  const auto part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= kMaxName && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), part);
}

std::string quoted_lines(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& l : lines) all += "\n  | " + l;
  return all;
}

}  // namespace

// A call that is bound to a process and to memory that is shared with it.
struct Library::Bound {
  Running* running;
  std::shared_ptr<Process> memory;  // outlives the leases
  std::int64_t start, id;
  std::vector<Lease> in;
  std::vector<std::vector<Lease>> out;  // by launch, where all are asked for at once
  std::vector<Spec> specs;
  std::size_t asked = 0;         // launches that are asked for and not begun yet
  std::size_t turn = 0;          // whose places hold what was waited for last
  std::vector<Described> given;  // by the last wait

  const std::vector<Lease>& places() const { return out[turn]; }
};

// Releases what the job held, where its process is still the same.
class Library::Held {
 public:
  Held(Library& library, Bound bound) : library_(library), bound_(std::move(bound)) {}
  ~Held() {
    if (!alive()) return;
    if (unsent()) library_.drop(*bound_.running);
    else release();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  bool alive() const { return bound_.running->process && bound_.running->start == bound_.start; }
  // Would be launched on memory that the next job is given.
  bool unsent() const {
    const std::vector<Asked>& asked = bound_.running->asked;
    return std::any_of(asked.begin(), asked.end(), [&](const Asked& a) { return a.id == bound_.id; });
  }
  Bound& get() {
    if (!alive()) throw Fault(Cause::crashed, "the process that the call was prepared in is no more");
    return bound_;
  }

 private:
  void release() {
    library_.queue(*bound_.running, {{"release", bound_.id}});
    bound_.running->answers.erase(bound_.id);
  }

  Library& library_;
  Bound bound_;
};

Library::Library(std::string argument, const Limits& limits)
    : argument_(std::move(argument)), limits_(limits), seconds_(limits.seconds) {
  constexpr std::string_view kCommand = "cmd:";
  if (argument_.rfind(kCommand, 0) != 0)
    throw Error("plumb", Reason::query, "no backend '" + printable(argument_) + "'; it is cmd:PROGRAM ARGUMENT...");
  argv_ = words_of(argument_.substr(kCommand.size()));
  try {
    (void)running();
  } catch (const Fault& f) {
    throw Error("plumb", Reason::query,
                "the backend " + printable(argument_) + " does not begin: " + f.what() + quoted_lines(said()));
  }
}

Library::~Library() {
  for (Running& r : running_)
    if (r.process) try {
        queue(r, {{"bye", 1}});
        (void)ask(r, 1);
      } catch (const std::exception&) {  // it is ended all the same
      }
}

std::string Library::option() const { return " --backend " + printable(shell_word(argument_)); }

std::vector<const Op*> Library::serves() const {
  std::vector<const Op*> all;
  for (const auto& [op, claim] : manifest_) all.push_back(&find_op(op));
  return all;
}

std::string Library::declared(const Op& op) const { return manifest_.at(std::string(op.name)).declared; }

Order Library::order(const Call& call) const { return order_of(manifest_.at(std::string(call.op->name)), call); }

Library::Running& Library::running() {
  Running& r = running_[static_cast<std::size_t>(threads_)];
  if (!r.process) begin(r);
  return r;
}

void Library::begin(Running& r) {
  if (r.start > 0 && restarts_ == limits_.restarts)
    throw Fault(Cause::crashed, "was started again " + std::to_string(restarts_) + " times, and not once more");
  restarts_ += r.start > 0;
  r.start = ++starts_;
  r.asked.clear(), r.answers.clear();
  r.process = std::make_shared<Process>(argv_, threads_, limits_);
  const Json hello{{"protocol", {1, kProtocol}},
                   {"judge", limits_.judge},
                   {"shm", {5, 6}},
                   {"threads", threads_ == Threads::one ? 1 : 0}};
  try {
    know(r, one(r, {{"hello", hello}}, limits_.start_seconds));
    if (manifest_.empty()) manifest_ = manifest_of(one(r, {{"manifest", 1}}, limits_.start_seconds));
  } catch (const Fault&) {
    if (r.process) drop(r);
    throw;
  }
}

void Library::know(Running& r, const Json& hello) {
  r.protocol = integer_at(hello, "protocol", 1, kProtocol);
  const std::string named = text_at(hello, "name"), version = text_at(hello, "version");
  if (!plain_name(named)) nonsense("the name \"" + named + "\", which is not [a-z][a-z0-9_-]{0,31}");
  if (!name_.empty() && (named != name_ || version != version_))
    nonsense("as " + named + " " + version + ", and was " + name_ + " " + version_);
  name_ = named, version_ = version;
  library_ = hello.contains("library") ? text_at(hello, "library") : "";
  device_ = hello.contains("device") ? text_at(hello, "device") : "";
}

void Library::queue(Running& r, const Json& request, std::int64_t id, bool wait) {
  r.process->queue(request);
  r.asked.push_back({id, wait});
}

std::vector<Json> Library::ask(Running& r, double seconds) {
  try {
    return r.process->ask(seconds);
  } catch (const Fault&) {
    drop(r);
    throw;
  }
}

// What a process printed is told of the case that it died of.
void Library::drop(Running& r) {
  r.process->end();
  for (std::string& line : r.process->take_printed()) said_.push_back(std::move(line));
  r.process.reset();
  r.asked.clear(), r.answers.clear();
}

// A question that stands for itself: its answer is the last one.
Json Library::one(Running& r, const Json& request, double seconds) {
  queue(r, request);
  Json answer = collect(r, seconds);
  if (answer.contains("error")) {
    const auto [reason, what] = error_of(answer);
    throw Fault(Cause::protocol, "answered a question of its own with " + reason + ": " + what);
  }
  return answer;
}

std::vector<std::string> Library::said() {
  for (Running& r : running_)
    if (r.process)
      for (std::string& line : r.process->take_printed()) said_.push_back(std::move(line));
  constexpr std::size_t kLines = 20;
  if (said_.size() > kLines) said_.erase(said_.begin(), said_.end() - kLines);
  return std::exchange(said_, {});
}

Json Library::call_json(const std::string& op, const Attrs& attrs, Json in, Json out) const {
  Json given = Json::object();
  for (const auto& [name, value] : attrs) given[name] = json_of(value);
  return {{"op", op}, {"attrs", std::move(given)}, {"in", std::move(in)}, {"out", std::move(out)}};
}

std::vector<std::string> Library::refusals(const std::vector<Json>& calls) {
  Running& r = running();
  const Json answer = one(r, {{"supports", calls}}, limits_.start_seconds);
  std::vector<std::string> words;
  try {
    const Json& list = list_at(answer, "refuse", calls.size());
    if (list.size() != calls.size()) nonsense("so many refusals: " + std::to_string(list.size()));
    for (const Json& one : list) {
      if (!one.is_string()) nonsense("a refusal that is no text");
      words.push_back(plain_text(one.get_ref<const std::string&>()));
    }
  } catch (const Fault&) {
    drop(r);
    throw;
  }
  return words;
}

namespace {

// Where the manifest says it without a question.
std::string outside(const Claim& claim, const Call& call) {
  if (claim.dtypes.empty() || !call.has(0)) return "";
  if (std::find(claim.dtypes.begin(), claim.dtypes.end(), call.dtype(0)) != claim.dtypes.end()) return "";
  return std::string(name(call.dtype(0))) + " is not among the dtypes of its manifest";
}

}  // namespace

std::string Library::refuses(const Call& call) {
  const std::string op(call.op->name);
  if (std::string no = outside(manifest_.at(op), call); !no.empty()) return no;
  const Json asked = call_json(op, call.attrs, hollow_json(call.in), specs_json(output_specs(call)));
  const std::string key = asked.dump();
  if (const auto known = refused_.find(key); known != refused_.end()) return known->second;
  return refused_[key] = refusals(std::vector<Json>{asked})[0];
}

void Library::ask_ahead(const std::vector<Call>& calls) {
  std::vector<Json> asked;
  std::vector<std::string> keys;
  const auto answer = [&] {
    if (asked.empty()) return;
    const std::vector<std::string> words = refusals(asked);
    for (std::size_t i = 0; i < keys.size(); ++i) refused_[keys[i]] = words[i];
    asked.clear(), keys.clear();
  };
  for (const Call& call : calls) {
    const std::string op(call.op->name);
    if (!outside(manifest_.at(op), call).empty()) continue;
    Json one = call_json(op, call.attrs, hollow_json(call.in), specs_json(output_specs(call)));
    std::string key = one.dump();
    if (refused_.contains(key)) continue;
    keys.push_back(std::move(key)), asked.push_back(std::move(one));
    if (asked.size() == kBatch) answer();
  }
  answer();
}

// The inputs in shared memory, whole storages.
Json Library::placed(Running& r, const std::vector<Tensor>& in, std::vector<Lease>& leases) const {
  Json list = hollow_json(in);
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!in[i].defined()) continue;
    Storage& storage = in[i].storage();
    const std::size_t bytes = in[i].size() > 0 ? storage.bytes() : 0;
    const Lease& lease = leases.emplace_back(r.process->inputs(), bytes);
    if (bytes > 0) std::memcpy(lease.arena().at(lease.offset()), storage.host_read(), bytes);
    list[i]["offset"] = lease.offset();
    list[i]["bytes"] = bytes;
    list[i]["first"] = bytes > 0 ? in[i].offset_bytes() : 0;
  }
  return list;
}

Job Library::prepare(const Call& call, const std::vector<Spec>& specs) {
  const int expected = std::exchange(expected_, 0);
  Running& r = running();
  Bound bound{&r, r.process, r.start, ++last_id_, {}, {}, specs, 0, 0, {}};
  Json in = placed(r, call.in, bound.in), out = specs_json(specs);
  const int ahead = r.protocol < 2 ? 0 : expected;
  take_places(bound, r, ahead);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    out[i]["offset"] = bound.places()[i].offset();
    out[i]["bytes"] = bound.places()[i].bytes();
  }
  queue(r,
        {{"prepare", bound.id},
         {"call", call_json(std::string(call.op->name), call.attrs, std::move(in), std::move(out))}},
        bound.id);
  if (ahead > 0 && static_cast<std::size_t>(ahead) == bound.out.size())
    for (const std::vector<Lease>& places : bound.out) queue_launch(bound, &places), ++bound.asked;
  const auto held = std::make_shared<Held>(*this, std::move(bound));
  return {[this, held] { launch(held->get()); }, [this, held] { wait(held->get()); },
          [this, held] { return fetch(held->get()); }};
}

// Places for each launch that is expected, where they are small.
void Library::take_places(Bound& b, Running& r, int launches) {
  std::size_t bytes = 0;
  for (const Spec& s : b.specs) bytes += bytes_of(s);
  const int sets = launches > 0 && bytes <= kAhead / static_cast<std::size_t>(launches) ? launches : 1;
  for (int n = 0; n < sets; ++n) {
    std::vector<Lease>& places = b.out.emplace_back();
    for (const Spec& s : b.specs) places.emplace_back(r.process->outputs(), bytes_of(s));
  }
}

// A launch and the wait behind it, into memory that was poisoned before.
void Library::queue_launch(Bound& b, const std::vector<Lease>* places) {
  Json request{{"launch", b.id}};
  for (const Lease& lease : places ? *places : b.places())
    if (MemoryWatch::active()) lease.arena().poison(lease.offset());
  if (places) {
    Json& out = request["out"] = Json::array();
    for (const Lease& lease : *places) out.push_back(lease.offset());
  }
  queue(*b.running, request, b.id);
  queue(*b.running, {{"wait", b.id}}, b.id, true);
}

// Where it was asked for with the others, it is the next one's turn; what comes beyond them takes the first places.
void Library::launch(Bound& b) {
  if (b.asked > 0) {
    b.turn = b.out.size() - b.asked--;
    return;
  }
  b.turn = 0;
  queue_launch(b, b.out.size() > 1 ? &b.out[0] : nullptr);
}

// All that is asked and not answered yet: what is of jobs is kept for them, and the last answer of no job is given.
Json Library::collect(Running& r, double seconds) {
  const std::vector<Asked> asked = r.asked;
  std::vector<Json> answers = ask(r, seconds);
  r.asked.clear();
  Json last;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (asked[i].id != 0) r.answers[asked[i].id].push_back({asked[i].wait, std::move(answers[i])});
    else last = std::move(answers[i]);
  }
  return last;
}

// To the next wait of this job, or the first error on the way to it.
Json Library::answer_of(Running& r, std::int64_t id) {
  const auto waited_for = [&] {
    return std::any_of(r.answers[id].begin(), r.answers[id].end(), [](const Answer& a) { return a.wait; });
  };
  if (!waited_for()) (void)collect(r, seconds_);
  std::vector<Answer>& all = r.answers[id];
  Json found;
  std::size_t n = 0;
  for (bool waited = false; n < all.size() && !waited; ++n) {
    waited = all[n].wait;
    if (found.contains("error")) continue;
    if (waited || all[n].json.contains("error")) found = std::move(all[n].json);
  }
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
  if (all.empty()) r.answers.erase(id);
  return found;
}

void Library::wait(Bound& b) {
  Running& r = *b.running;
  const Json answer = answer_of(r, b.id);
  try {
    if (answer.contains("error")) {
      const auto [reason, what] = error_of(answer);
      fault_of(reason, what);
    }
    b.given = outputs_of(answer);
  } catch (const Fault& f) {
    if (f.cause() == Cause::protocol) drop(r);
    throw;
  }
}

std::vector<Tensor> Library::fetch(Bound& b) {
  if (b.given.size() != b.specs.size())
    throw Fault(Cause::spec, std::to_string(b.given.size()) + " outputs instead of " + std::to_string(b.specs.size()));
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < b.specs.size(); ++i) {
    const Described& given = b.given[i];
    const Lease& lease = b.places()[i];
    if (given.ours != b.specs[i])
      throw Fault(Cause::spec,
                  "output " + std::to_string(i) + ": " + given.spec + " instead of " + to_string(b.specs[i]));
    if (given.offset != static_cast<std::int64_t>(lease.offset())) {
      drop(*b.running);
      throw Fault(Cause::protocol, "output " + std::to_string(i) + " is said to lie where it was not asked for");
    }
    out.emplace_back(b.specs[i]);
    if (lease.bytes() > 0) std::memcpy(out.back().write<std::byte>(), lease.arena().at(lease.offset()), lease.bytes());
  }
  if (!MemoryWatch::active()) return out;
  for (std::size_t i = 0; i < b.places().size(); ++i)
    if (!b.places()[i].arena().intact(b.places()[i].offset()))
      throw Fault(Cause::out_of_bounds, "output " + std::to_string(i) + " was written outside its bounds");
  return out;
}

RawAnswer Library::raw(const Op& op, const std::vector<Tensor>& in, const Attrs& attrs) {
  const std::string op_name(op.name);
  std::string no = refusals(std::vector<Json>{call_json(op_name, attrs, hollow_json(in), nullptr)})[0];
  if (!no.empty()) return {RawAnswer::Kind::refused, "unsupported", std::move(no)};
  Running& r = running();
  const std::int64_t id = ++last_id_;
  const std::shared_ptr<Process> memory = r.process;  // outlives the leases
  std::vector<Lease> leases;
  Json list = placed(r, in, leases);
  queue(r, {{"prepare", id}, {"call", call_json(op_name, attrs, std::move(list), nullptr)}}, id);
  queue(r, {{"launch", id}}, id);
  queue(r, {{"wait", id}}, id, true);
  queue(r, {{"release", id}});
  const Json answer = answer_of(r, id);
  r.answers.erase(id);
  try {
    if (answer.contains("error")) {
      auto [reason, what] = error_of(answer);
      return {RawAnswer::Kind::raised, std::move(reason), std::move(what)};
    }
    std::string given;
    for (const Described& one : outputs_of(answer)) given += (given.empty() ? "" : ", ") + one.spec;
    return {RawAnswer::Kind::accepted, "", std::move(given)};
  } catch (const Fault&) {
    drop(r);
    throw;
  }
}

void install_libraries(const std::vector<std::string>& arguments, const Limits& limits) {
  static std::vector<std::unique_ptr<Library>> all;
  for (const std::string& argument : arguments) {
    all.push_back(std::make_unique<Library>(argument, limits));
    install_backend(*all.back());
  }
}

}  // namespace plumb::foreign
