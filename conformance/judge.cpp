#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>

#include "conformance/check.h"
#include "core/budget.h"
#include "core/fill.h"

namespace plumb {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The inputs of one data set, and what the oracle makes of them.
struct Truth {
  Call call;
  std::vector<std::size_t> digests;
  std::vector<Wide> want, magnitude;
  double seconds;  // that the oracle took
};

std::size_t digest(Storage& s) {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(s.host_read()), s.bytes()});
}

std::vector<std::size_t> digests(const Call& call) {
  std::vector<std::size_t> d;
  for (const Tensor& t : call.in) d.push_back(t.defined() ? digest(t.storage()) : 0);
  return d;
}

Truth truth(const Op& op, const Case& c, std::uint64_t salt) {
  Truth t{make_call(op, realize(op, c, salt), c.attrs), {}, {}, {}, 0};
  t.digests = digests(t.call);
  const double begun = now();
  with_memory(t.call, Held::wide, "", [&] {
    t.want = op.oracle(t.call);
    t.magnitude = magnitude(t.call);
  });
  t.seconds = now() - begun;
  return t;
}

std::string join(const std::vector<std::string>& lines) {
  std::string s;
  for (const std::string& l : lines) s += (s.empty() ? "" : "; ") + l;
  return s;
}

// Row-major bytes of the active outputs, to ask whether two runs agree bit for bit.
std::string bytes_of(const Call& call, const std::vector<Tensor>& out) {
  std::string s;
  for (const Tensor& t : active(call, out)) {
    const Tensor dense = contiguous(t);
    s.append(reinterpret_cast<const char*>(dense.read<std::byte>()),
             static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes));
  }
  return s;
}

std::string guards_of(const std::vector<Tensor>& all, const std::string& what) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].defined() && !all[i].storage().guards_intact())
      return what + " " + std::to_string(i) + " was written outside its bounds";
  return "";
}

struct Attempt {
  std::vector<Tensor> out;
  std::string bits;  // of what was compared
  Deviation deviation;
  std::string trouble;
  Cause cause = Cause::none;

  void fail(Cause c, std::string what) {
    if (trouble.empty() && !what.empty()) cause = c, trouble = std::move(what);
  }
};

// Every active element must have been looked at: counted here by the outputs, there where they are compared.
std::string uncounted(const Call& call, const Attempt& a) {
  std::int64_t elements = 0;
  for (const Tensor& t : active(call, a.out)) elements += t.size();
  if (a.deviation.compared == elements) return "";
  return std::to_string(a.deviation.compared) + " of " + std::to_string(elements) + " elements were compared";
}

// What the route itself does; memory that it cannot have is told by its name.
Job prepared(const Truth& t, const Route& r) {
  return with_memory_named(t.call, Held::stored, r.name, [&] { return r.prepare(t.call, output_specs(t.call)); });
}

std::vector<Tensor> launched(const Truth& t, const Route& r, const Job& job) {
  return with_memory_named(t.call, Held::stored, r.name, [&] {
    job.launch();
    job.wait();
    return job.fetch();
  });
}

// Whether an element holds what it was poisoned with. One of a single byte may hold that by right: it is looked at
// where it is wrong.
bool unwritten(const Call& call, const Attempt& a) {
  const std::vector<Tensor> parts = active(call, a.out);
  for (std::size_t o = 0; o < parts.size(); ++o) {
    const Tensor dense = contiguous(parts[o]);
    const auto width = static_cast<std::int64_t>(info(dense.dtype()).bytes);
    const auto* bytes = dense.read<std::uint8_t>();
    for (std::int64_t i = 0; i < dense.size(); ++i) {
      if (width == 1 && (static_cast<int>(o) != a.deviation.output || i != a.deviation.at)) continue;
      if (std::all_of(bytes + i * width, bytes + (i + 1) * width, [](std::uint8_t b) { return b == kPoisonByte; }))
        return true;
    }
  }
  return false;
}

Cause cause_of(const Call& call, const Attempt& a) {
  if (!a.deviation.what.empty()) return Cause::spec;
  return unwritten(call, a) ? Cause::unwritten : Cause::value;
}

bool as_asked(const Call& call, const std::vector<Tensor>& out) {
  const std::vector<Spec> specs = output_specs(call);
  return std::equal(out.begin(), out.end(), specs.begin(), specs.end(),
                    [](const Tensor& t, const Spec& s) { return t.spec() == s; });
}

// What was found of a right answer with these bits, none at first: the same bits need no second look.
struct Seen {
  Deviation deviation;
  std::string bits;
};

Attempt attempt(const Truth& t, const Route& r, const Job& job, const Seen& seen = {}) {
  Attempt a;
  a.out = launched(t, r, job);
  a.fail(Cause::out_of_bounds, guards_of(a.out, "output"));
  a.fail(Cause::out_of_bounds, guards_of(t.call.in, "input"));
  if (digests(t.call) != t.digests) {  // bounds follow from the inputs: of others than the route was given, none does
    a.fail(Cause::input_changed, "an input was changed");
    return a;
  }
  if (as_asked(t.call, a.out)) a.bits = bytes_of(t.call, a.out);
  const bool same = !a.bits.empty() && a.bits == seen.bits;
  a.deviation = same ? seen.deviation : compare(t.call, t.want, t.magnitude, order_of(r, t.call), a.out);
  if (a.deviation.what.empty()) a.fail(Cause::value, uncounted(t.call, a));
  if (a.trouble.empty() && !a.deviation.ok()) a.fail(cause_of(t.call, a), to_string(a.deviation));
  return a;
}

// Poisons what a launch has written, so that the next one must write it again.
void poison(const Call& call, const std::vector<Tensor>& out) {
  for (const Tensor& t : out) {
    const auto shared = [&](const Tensor& in) { return in.defined() && &in.storage() == &t.storage(); };
    if (std::none_of(call.in.begin(), call.in.end(), shared))
      std::memset(t.storage().host_write(), kPoisonByte, t.storage().bytes());
  }
}

void take(Verdict& v, const Deviation& found, std::int64_t compared) {
  v.compared += compared;
  const std::int64_t unbounded = v.worst.unbounded + found.unbounded;
  if (found.ratio > v.worst.ratio || !found.what.empty()) v.worst = found;
  v.worst.unbounded = unbounded;
}

void take(Verdict& v, const Attempt& a) { take(v, a.deviation, a.deviation.compared); }

void blame(Verdict& v, Cause cause, std::string reason) {
  if (v.reason.empty() && !reason.empty()) v.cause = cause, v.reason = std::move(reason);
}

// A, then A again on the same job: a launch is repeatable to the bit and owes nothing to old output. Gives what was
// seen of the first answer, if all were right.
Seen twice(const Truth& a, const Route& r, const Job& job, Verdict& v, int launches = 2,
           Repeats repeats = Repeats::in_process, const Seen& before = {}) {
  const Attempt first = attempt(a, r, job, before);
  take(v, first);
  blame(v, first.cause, first.trouble);
  Seen seen{first.deviation, v.reason.empty() ? first.bits : ""};
  for (int n = 2; n <= launches && v.reason.empty(); ++n) {
    poison(a.call, first.out);
    const Attempt again = attempt(a, r, job, seen);
    take(v, again);
    const std::string when = n == 2 ? "on the second launch: " : "on launch " + std::to_string(n) + ": ";
    if (!again.trouble.empty())
      blame(v, again.cause == Cause::value ? Cause::unrepeatable : again.cause, when + again.trouble);
    else if (repeats != Repeats::within_bounds && again.bits != seen.bits)
      blame(v, Cause::unrepeatable, "two launches differ in their bits");
  }
  return seen;
}

void other_values(const Truth& b, const Route& r, const Job& job, Verdict& v) {
  if (!v.reason.empty()) return;
  const Attempt other = attempt(b, r, job);
  if (!other.trouble.empty()) blame(v, other.cause, "with other values: " + other.trouble);
  take(v, other);
}

// With one thread, then in another process with as many as it likes, and more often than anybody warms up: what was
// right, and is not any more, is no answer of the call. Of each job a launch at least is not asked for with the others:
// its output is read as soon as it is said to be there, which one that is still being written does not survive; and how
// many there will be is not said.
void backend_runs(const Truth& a, const Truth& b, const Route& r, Backend& backend, int launches, Verdict& v) {
  constexpr double kTimes = 100;
  backend.patience(kTimes * std::max(a.seconds, b.seconds));
  const Repeats repeats = backend.repeats(*a.call.op);
  const auto ready = [&](const Truth& t, int at_once) {
    backend.expect(at_once);
    return prepared(t, r);
  };
  backend.use(Threads::one);
  const Seen seen = twice(a, r, ready(a, 1), v, 2, repeats);
  if (!v.reason.empty()) return;
  backend.use(Threads::its_own);
  Verdict other;
  const Seen more = twice(a, r, ready(a, 2), other, launches, repeats, seen);
  take(v, other.worst, other.compared);
  if (!other.reason.empty())
    blame(v, other.cause == Cause::value ? Cause::unrepeatable : other.cause,
          "with its own number of threads: " + other.reason);
  else if (repeats == Repeats::everywhere && more.bits != seen.bits)
    blame(v, Cause::unrepeatable, "its bits are others with its own number of threads");
  if (v.reason.empty()) other_values(b, r, ready(b, 0), v);
  backend.use(Threads::one);
}

// Whether an answer of nothing but zeros would pass: then this one says little.
bool zeros_pass(const Truth& t, const Route& r) try {
  std::vector<Tensor> zeros;
  for (const Spec& s : output_specs(t.call)) {
    const Tensor& z = zeros.emplace_back(s);
    std::memset(z.write<std::byte>(), 0, z.storage().bytes());
  }
  return compare(t.call, t.want, t.magnitude, order_of(r, t.call), zeros).ok();
} catch (const Error&) {  // zeros that are no such result
  return false;
}

}  // namespace

struct Judge::State {
  const Op& op;
  Case c;
  std::string text;
  Truth a, b;  // the same shapes with two sets of values
  int extra;   // launches beyond three, of a backend: nobody knows when to stop being right
};

Judge::Judge(const Op& op, const Case& c, std::uint64_t salt)
    : state_(new State{op, c, id(op, c), truth(op, c, 2 * salt), truth(op, c, 2 * salt + 1), 0}) {
  state_->extra = static_cast<int>((std::hash<std::string>{}(state_->text) ^ salt) % 3);
}
Judge::~Judge() = default;
const std::string& Judge::case_id() const { return state_->text; }

namespace {

// What the runs raise becomes the verdict's.
template <class Runs>
void judged(Verdict& v, Runs&& runs) {
  const double start = now();
  {
    const MemoryWatch watch;
    (void)MemoryWatch::take_damage();
    try {
      runs();
    } catch (const Fault& f) {
      blame(v, f.cause(), f.what());
    } catch (const std::bad_alloc&) {
      blame(v, Cause::memory, "no memory was left to compare with");
    } catch (const Error& e) {
      blame(v, e.reason() == Reason::memory ? Cause::memory : Cause::raised, std::string("raised ") + e.what());
    } catch (const std::exception& e) {
      blame(v, Cause::raised, std::string("raised ") + e.what());
    }
  }
  const std::vector<std::string> damage = MemoryWatch::take_damage();
  blame(v, Cause::out_of_bounds, join(damage));
  v.seconds = now() - start;
  v.status = v.reason.empty() ? Status::pass : Status::fail;
}

Verdict with_log(Verdict v, Backend* backend) {
  if (backend && v.status == Status::fail) v.log = backend->said();
  return v;
}

// Of a call that the backend refuses, and that was tried all the same.
void audit(Verdict& v, const std::string& words) {
  const bool right = v.status == Status::pass;
  v.reason =
      (right ? "understated, it was right: " : "refused, and rightly (" + std::string(name(v.cause)) + "): ") + words;
  v.status = Status::refused;
  v.cause = Cause::none;
}

}  // namespace

Verdict Judge::on(const Route& r, const Device& device) {
  Verdict v;
  Backend* const backend = backend_of(r);
  std::string words;  // of a backend that is asked all the same
  if (device.tier < r.needs) {
    v.status = Status::absent;
    v.reason = refusal(r, state_->a.call, device);
    return v;
  }
  if (backend) (void)backend->said(), backend->use(Threads::one);
  judged(v, [&] {
    words = backend && backend->audited() ? backend->refuses(state_->a.call) : refusal(r, state_->a.call, device);
  });
  if (v.status == Status::fail) return with_log(std::move(v), backend);
  if (!words.empty() && !(backend && backend->audited())) {
    v.status = Status::refused;
    v.reason = std::move(words);
    v.seconds = 0;
    return v;
  }
  judged(v, [&] {
    if (backend) return backend_runs(state_->a, state_->b, r, *backend, 3 + state_->extra, v);
    twice(state_->a, r, prepared(state_->a, r), v);
    if (v.reason.empty()) other_values(state_->b, r, prepared(state_->b, r), v);
  });
  v.vacant = v.status == Status::pass && v.compared == 0;
  if (v.status == Status::pass && v.worst.unbounded > 0) {
    v.status = Status::mistrusted;
    v.reason = "no finite bound follows for " + std::to_string(v.worst.unbounded) + " of " +
               std::to_string(v.compared) + " elements";
  }
  if (backend && v.status == Status::pass && v.compared > 0 && zeros_pass(state_->a, r) && zeros_pass(state_->b, r)) {
    v.status = Status::mistrusted;
    v.reason = "an answer of zeros would pass too";
  }
  if (!words.empty()) audit(v, words);
  return with_log(std::move(v), backend);
}

bool too_many(std::int64_t mistrusted, std::int64_t cases) { return mistrusted * 20 > cases; }

namespace {

// A typed error with the reason that the row states is what must come.
void judge_error(Verdict& v, const Reject& reject, const Error& e) {
  if (e.reason() == reject.reason) v.status = Status::pass;
  else v.reason = "was refused for another reason than " + std::string(name(reject.reason)) + ": " + e.what();
}

}  // namespace

std::optional<Verdict> judge_gate(const Op& op, const Reject& reject) {
  Verdict v;
  v.status = Status::fail;
  try {
    std::vector<std::optional<Spec>> specs;
    for (const auto& in : reject.call.in)
      specs.push_back(in ? std::optional(Spec{in->dtype, in->shape}) : std::nullopt);
    (void)output_specs(make_request(op, std::move(specs), reject.call.attrs));  // most need no data to be refused
    (void)make_call(op, realize(op, reject.call), reject.call.attrs);
    return std::nullopt;
  } catch (const Error& e) {
    judge_error(v, reject, e);
  } catch (const std::exception& e) {
    v.reason = std::string("raised an untyped error: ") + e.what();
  }
  return v;
}

std::optional<Verdict> judge_raw(const Op& op, const Reject& reject, Backend& backend) {
  constexpr Reason kAsked[] = {Reason::dtype, Reason::rank,   Reason::shape,
                               Reason::axis,  Reason::domain, Reason::memory};
  if (std::find(std::begin(kAsked), std::end(kAsked), reject.reason) == std::end(kAsked)) return std::nullopt;
  std::vector<Tensor> in;
  Attrs attrs = op.attrs;
  for (const auto& [key, value] : reject.call.attrs) attrs.set(key, value);
  try {
    in = realize(op, reject.call);
  } catch (const std::exception&) {  // more than anybody's memory: it cannot be sent
    return std::nullopt;
  }
  (void)backend.said();
  backend.use(Threads::one);
  Verdict v;
  std::string refused;
  judged(v, [&] {
    const RawAnswer answer = backend.raw(op, in, attrs);
    const bool other = reject.reason == Reason::domain && answer.reason != name(Reason::domain);
    if (answer.kind == RawAnswer::Kind::accepted)
      blame(v, Cause::accepted_invalid,
            "was accepted, but must be refused: " + reject.why + "; it gave " + answer.words);
    else if (answer.kind == RawAnswer::Kind::raised && (answer.reason == "raised" || other))
      blame(v, Cause::raised,
            "was refused for another reason than " + std::string(name(reject.reason)) + ": " + answer.reason + ": " +
                answer.words);
    else if (answer.kind == RawAnswer::Kind::refused) refused = answer.words;
  });
  if (v.status == Status::pass && !refused.empty()) v.status = Status::refused, v.reason = std::move(refused);
  return with_log(std::move(v), &backend);
}

Verdict judge_reject(const Op& op, const Reject& reject, const Route& r, const Device& device) {
  Verdict v;
  v.status = Status::fail;
  try {
    const Call call = make_call(op, realize(op, reject.call), reject.call.attrs);
    if (std::string no = refusal(r, call, device); !no.empty()) {
      v.status = device.tier < r.needs ? Status::absent : Status::refused;
      v.reason = std::move(no);
      return v;
    }
    const Job job = r.prepare(call, output_specs(call));
    job.launch();
    job.wait();
    (void)job.fetch();
    v.reason = "was accepted, but must be refused: " + reject.why;
  } catch (const Error& e) {
    judge_error(v, reject, e);
  } catch (const std::bad_alloc&) {  // which is no refusal, not even of a call that must be refused for its size
    v.reason = "route " + std::string(r.name) + ": an allocation failed before the call was refused";
  } catch (const std::exception& e) {
    v.reason = std::string("raised an untyped error: ") + e.what();
  }
  return v;
}

std::string_view name(Status s) {
  constexpr std::string_view names[] = {"pass", "fail", "refused", "mistrusted", "absent"};
  return names[static_cast<std::size_t>(s)];
}

}  // namespace plumb
