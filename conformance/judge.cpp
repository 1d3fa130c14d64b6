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
  Truth t{make_call(op, realize(op, c, salt), c.attrs), {}, {}, {}};
  t.digests = digests(t.call);
  with_memory(t.call, Held::wide, "", [&] {
    t.want = op.oracle(t.call);
    t.magnitude = magnitude(t.call);
  });
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
  Deviation deviation;
  std::string trouble;
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

Attempt attempt(const Truth& t, const Route& r, const Job& job) {
  Attempt a;
  a.out = launched(t, r, job);
  a.trouble = guards_of(a.out, "output");
  if (a.trouble.empty()) a.trouble = guards_of(t.call.in, "input");
  if (digests(t.call) != t.digests) {  // bounds follow from the inputs: of others than the route was given, none does
    if (a.trouble.empty()) a.trouble = "an input was changed";
    return a;
  }
  a.deviation = compare(t.call, t.want, t.magnitude, order_of(r, t.call), a.out);
  if (a.trouble.empty() && a.deviation.what.empty()) a.trouble = uncounted(t.call, a);
  if (a.trouble.empty() && !a.deviation.ok()) a.trouble = to_string(a.deviation);
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

void take(Verdict& v, const Attempt& a) {
  v.compared += a.deviation.compared;
  const std::int64_t unbounded = v.worst.unbounded + a.deviation.unbounded;
  if (a.deviation.ratio > v.worst.ratio || !a.deviation.what.empty()) v.worst = a.deviation;
  v.worst.unbounded = unbounded;
}

// A, then A again on the same job: a launch is repeatable to the bit and owes nothing to old output.
void twice(const Truth& a, const Route& r, Verdict& v) {
  const Job job = prepared(a, r);
  const Attempt first = attempt(a, r, job);
  take(v, first);
  v.reason = first.trouble;
  if (!v.reason.empty()) return;
  const std::string bits = bytes_of(a.call, first.out);
  poison(a.call, first.out);
  const Attempt second = attempt(a, r, job);
  take(v, second);
  v.reason = second.trouble.empty() ? "" : "on the second launch: " + second.trouble;
  if (v.reason.empty() && bytes_of(a.call, second.out) != bits) v.reason = "two launches differ in their bits";
}

}  // namespace

struct Judge::State {
  const Op& op;
  Case c;
  std::string text;
  Truth a, b;  // the same shapes with two sets of values
};

Judge::Judge(const Op& op, const Case& c, std::uint64_t salt)
    : state_(new State{op, c, id(op, c), truth(op, c, 2 * salt), truth(op, c, 2 * salt + 1)}) {}
Judge::~Judge() = default;
const std::string& Judge::case_id() const { return state_->text; }

Verdict Judge::on(const Route& r, const Device& device) {
  Verdict v;
  if (device.tier < r.needs) {
    v.status = Status::absent;
    v.reason = refusal(r, state_->a.call, device);
    return v;
  }
  if (std::string no = refusal(r, state_->a.call, device); !no.empty()) {
    v.status = Status::refused;
    v.reason = std::move(no);
    return v;
  }
  const double start = now();
  {
    const MemoryWatch watch;
    (void)MemoryWatch::take_damage();
    try {
      twice(state_->a, r, v);
      if (v.reason.empty()) {
        const Job other = prepared(state_->b, r);
        const Attempt b = attempt(state_->b, r, other);
        if (!b.trouble.empty()) v.reason = "with other values: " + b.trouble;
        take(v, b);
      }
    } catch (const std::bad_alloc&) {
      v.reason = "no memory was left to compare with";
    } catch (const std::exception& e) {
      v.reason = std::string("raised ") + e.what();
    }
  }
  const std::vector<std::string> damage = MemoryWatch::take_damage();
  if (v.reason.empty()) v.reason = join(damage);
  v.seconds = now() - start;
  v.status = v.reason.empty() ? Status::pass : Status::fail;
  v.vacant = v.status == Status::pass && v.compared == 0;
  if (v.status == Status::pass && v.worst.unbounded > 0) {
    v.status = Status::mistrusted;
    v.reason = "no finite bound follows for " + std::to_string(v.worst.unbounded) + " of " +
               std::to_string(v.compared) + " elements";
  }
  return v;
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
