// The harness judged: faults planted in a perfect route, each of which every op's own cases must find.
//
// A planted route computes the oracle's answer and spoils it in one way. A fault that changes nothing on any case
// of an op (no NaN to lose, no float to round) does not apply to it; one that changes something must be caught.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "cli/families.h"
#include "conformance/check.h"

namespace plumb {
namespace {

enum class Fault {
  stale,         // returns what the last call of the same shapes returned
  past_end,      // writes one element beyond the end
  before_start,  // writes one element before the start
  unwritten,     // leaves the last active element as it found it
  input,         // changes an input
  unsteady,      // another last bit on every second launch
  lost_nan,      // 0 where NaN belongs
  zero,          // all zeros
  shifted,       // every element from its left neighbour
  coarse,        // floats kept in bfloat16
  swapped,       // the first and the last active element exchanged
  wrong_shape,   // one axis too many
};

std::string_view name(Fault f) {
  constexpr std::string_view names[] = {"stale",    "past_end", "before_start", "unwritten", "input",   "unsteady",
                                        "lost_nan", "zero",     "shifted",      "coarse",    "swapped", "wrong_shape"};
  return names[static_cast<std::size_t>(f)];
}

bool changed = false;  // whether the fault now planted has altered anything yet
int launches = 0;
std::map<std::string, std::vector<Tensor>> previous;

std::size_t width(const Tensor& t) { return static_cast<std::size_t>(info(t.dtype()).bytes); }
std::byte* bytes(const Tensor& t) { return t.write<std::byte>(); }

std::vector<Tensor> perfect(const Call& call) {
  const std::vector<Spec> specs = call.op->infer(call);
  const std::vector<Wide> wide = call.op->oracle(call);
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < specs.size(); ++i) out.push_back(narrow(wide[i], specs[i].dtype));
  return out;
}

Tensor copy(const Tensor& t) {
  Tensor c(t.spec());
  std::memcpy(bytes(c), contiguous(t).read<std::byte>(), static_cast<std::size_t>(t.size()) * width(t));
  return c;
}

bool same(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.read<std::byte>(), b.read<std::byte>(), static_cast<std::size_t>(a.size()) * width(a)) == 0;
}

void lose_nan(const Tensor& t) {
  if (!is_real(t.dtype())) return;
  Wide w = widen(t);
  std::visit(
      []<class T>(Array<T>& a) {
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>)
          for (T& x : a.data)
            if (std::isnan(double(x))) x = T(0.0);
      },
      w);
  const Tensor narrowed = narrow(w, t.dtype());
  std::memcpy(bytes(t), narrowed.read<std::byte>(), static_cast<std::size_t>(t.size()) * width(t));
}

void coarsen(const Tensor& t) {
  if (!is_inexact(t.dtype())) return;
  const Dtype low = t.dtype() == Dtype::bf16 ? Dtype::f16 : Dtype::bf16;
  if (is_complex(t.dtype())) {
    auto* p = t.write<float>();
    for (std::int64_t i = 0; i < 2 * t.size(); ++i) p[i] = bf16_to_float(to_bf16(double(p[i])));
    return;
  }
  const Tensor narrowed = narrow(widen(narrow(widen(t), low)), t.dtype());
  std::memcpy(bytes(t), narrowed.read<std::byte>(), static_cast<std::size_t>(t.size()) * width(t));
}

// Faults on one output; `n` active elements of `w` bytes at `p`.
void spoil(Fault f, const Tensor& t, std::int64_t active_elements) {
  const std::size_t w = width(t), n = static_cast<std::size_t>(active_elements);
  std::byte* p = bytes(t);
  if (f == Fault::past_end) p[static_cast<std::size_t>(t.size()) * w] ^= std::byte{1};
  if (f == Fault::before_start) p[-1] ^= std::byte{1};
  if (f == Fault::lost_nan) lose_nan(t);
  if (f == Fault::coarse) coarsen(t);
  if (n == 0) return;
  if (f == Fault::unwritten) std::memset(p + (n - 1) * w, kPoisonByte, w);
  if (f == Fault::unsteady && launches % 2 == 0) p[0] ^= std::byte{1};
  if (f == Fault::zero) std::memset(p, 0, n * w);
  if (f == Fault::shifted) std::memmove(p + w, p, (n - 1) * w);
  if (f == Fault::swapped) std::swap_ranges(p, p + w, p + (n - 1) * w);
}

std::vector<Tensor> planted(Fault f, const Call& call) {
  const std::vector<Tensor> right = perfect(call);
  const std::vector<Tensor> part = active(call, right);
  std::vector<Tensor> out;
  for (const Tensor& t : right) out.push_back(copy(t));
  ++launches;
  if (f == Fault::stale) {
    std::string key(call.op->name);
    for (const Tensor& t : call.in) key += t.defined() ? to_string(t.spec()) : "-";
    key += to_string(call.attrs);
    const auto it = previous.find(key);
    if (it != previous.end()) out = it->second;
    previous[key] = right;
  } else if (f == Fault::input) {
    for (const Tensor& t : call.in)
      if (t.defined() && t.size() > 0) {
        t.storage().host_write()[0] ^= std::byte{1};
        changed = true;
        break;
      }
  } else if (f == Fault::wrong_shape) {
    Shape shape = out[0].shape();
    Strides strides = out[0].strides();
    shape.push_back(1), strides.push_back(1);
    out[0] = out[0].view(shape, strides);
    changed = true;
  } else {
    for (std::size_t i = 0; i < out.size(); ++i) spoil(f, out[i], part[i].size());
  }
  changed |= f == Fault::past_end || f == Fault::before_start;
  for (std::size_t i = 0; i < out.size() && f != Fault::wrong_shape; ++i)
    changed |= !same(contiguous(active(call, out)[i]), contiguous(part[i]));
  return out;
}

template <Fault F>
Job prepare(const Call& call, const std::vector<Spec>&) {
  auto out = std::make_shared<std::vector<Tensor>>();
  return {[call, out] { *out = planted(F, call); }, [] {}, [out] { return *out; }};
}

template <Fault F>
Route route(const Op& op) {
  Route r;
  r.op = op.name;
  r.name = name(F);
  r.prepare = prepare<F>;
  r.order = nullptr;
  for (const Route& other : routes(op))  // judged by the order of a real CPU route
    if (other.needs == Tier::unavailable && other.order) r.order = other.order;
  return r;
}

const std::pair<Fault, Route (*)(const Op&)> kPlanted[] = {
    {Fault::stale, route<Fault::stale>},         {Fault::past_end, route<Fault::past_end>},
    {Fault::before_start, route<Fault::before_start>}, {Fault::unwritten, route<Fault::unwritten>},
    {Fault::input, route<Fault::input>},         {Fault::unsteady, route<Fault::unsteady>},
    {Fault::lost_nan, route<Fault::lost_nan>},   {Fault::zero, route<Fault::zero>},
    {Fault::shifted, route<Fault::shifted>},     {Fault::coarse, route<Fault::coarse>},
    {Fault::swapped, route<Fault::swapped>},     {Fault::wrong_shape, route<Fault::wrong_shape>},
};

enum class Fate { killed, survived, not_applicable };

Fate fate(const Op& op, const Route& r, Budget budget) {
  changed = false;
  for (const Case& c : cases_of(op, budget)) {
    previous.clear();
    launches = 0;
    Judge judge(op, c);
    if (judge.on(r, Device{}).status == Status::fail && changed) return Fate::killed;
  }
  return changed ? Fate::survived : Fate::not_applicable;
}

TEST(Kill, EveryPlantedFaultIsFoundByEveryOpsOwnCases) {
  install_families();
  int killed = 0;
  for (const Op& op : ops())
    for (const auto& [fault, make] : kPlanted) {
      const Route r = make(op);
      Fate f = fate(op, r, Budget::smoke);
      if (f != Fate::killed) f = fate(op, r, Budget::ci);
      EXPECT_NE(f, Fate::survived) << op.name << " lets '" << name(fault) << "' pass";
      killed += f == Fate::killed;
      RecordProperty(std::string(op.name) + "." + std::string(name(fault)),
                     f == Fate::killed ? "killed" : "does not apply");
    }
  EXPECT_GT(killed, 0);
}

TEST(Kill, ThePerfectRouteSurvives) {
  install_families();
  for (const Op& op : ops()) {
    Route r;
    r.op = op.name;
    r.name = "perfect";
    r.prepare = [](const Call& call, const std::vector<Spec>&) -> Job {
      auto out = std::make_shared<std::vector<Tensor>>();
      return {[call, out] { *out = perfect(call); }, [] {}, [out] { return *out; }};
    };
    for (const Route& other : routes(op))
      if (other.needs == Tier::unavailable && other.order) r.order = other.order;
    for (const Case& c : cases_of(op, Budget::smoke)) {
      Judge judge(op, c);
      const Verdict v = judge.on(r, Device{});
      EXPECT_EQ(v.status, Status::pass) << judge.case_id() << ": " << v.reason;
    }
  }
}

}  // namespace
}  // namespace plumb
