// A batch is a loop: each route gives each member of a batch the bits that it gives the member alone. Which inputs have
// batch axes is what signatures say: axes of a pack, or that broadcast, before others that are named.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/signature.h"

namespace plumb {
namespace {

constexpr std::int64_t kElements = 3000;  // of all inputs of a call that is asked
constexpr std::size_t kCalls = 40;        // of a row, evenly spaced among those that there are

bool any_number(const Axis& a) { return a.kind == Axis::Kind::pack || a.kind == Axis::Kind::broadcast; }

// Batch axes stand before axes that are named: *B,M,N but not *S alone.
bool is_batched(const Parameter& p) {
  return std::all_of(p.shapes.begin(), p.shapes.end(),
                     [](const Axes& a) { return a.size() > 1 && any_number(a[0]) && !any_number(a[1]); });
}

// A pack alone: its axes are told apart by `infer` only.
bool is_open(const Parameter& p) { return p.shapes[0].size() == 1 && any_number(p.shapes[0][0]); }

// How many batch axes an input of such a parameter has.
std::int64_t batch_axes(const Parameter& p, int rank) {
  const auto named = static_cast<std::int64_t>(p.shapes[0].size()) - 1;
  return is_batched(p) ? std::max<std::int64_t>(0, rank - named) : 0;
}

// The inputs that are cut along their first axis with the first axis of what comes out, and its extent; 0 if the call
// is of no batch. An input with fewer batch axes, or 1 there, meets every member. One whose axes have no names in the
// signature (the right side of a system) is taken to lie as the batched one does.
struct Batch {
  std::int64_t members = 0;
  std::vector<bool> cut;
};
Tensor member(const Tensor& t, std::int64_t i) {
  Shape one = t.shape();
  one[0] = 1;
  return t.view(one, t.strides(), i * t.strides()[0]);
}

Call member(const Call& c, const Batch& b, std::int64_t i) {
  std::vector<Tensor> in = c.in;
  for (std::size_t k = 0; k < b.cut.size(); ++k)
    if (b.cut[k]) in[k] = member(in[k], i);
  return make_call(*c.op, in, c.attrs);
}

// What comes out of a member is one slice of the whole; else the first axis is one of indices, or of something else.
bool fits(const Call& c, std::vector<Spec> out, const Batch& b) {
  if (std::none_of(b.cut.begin(), b.cut.end(), [](bool cut) { return cut; })) return false;
  for (Spec& s : out) s.shape[0] = 1;
  std::vector<std::optional<Spec>> in = c.specs;
  for (std::size_t i = 0; i < b.cut.size(); ++i)
    if (b.cut[i]) in[i]->shape[0] = 1;
  return output_specs(make_request(*c.op, in, c.attrs)) == out;
}

Batch batch_of(const Call& c) {
  const std::vector<Parameter>& all = c.op->parsed->inputs;
  std::int64_t most = 0;
  int rank = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (c.has(i)) most = std::max(most, batch_axes(all[i], c.rank(i))), rank = std::max(rank, c.rank(i));
  const std::vector<Spec> out = output_specs(c);
  if (most == 0 || out.empty() || out[0].shape.empty()) return {};
  const std::int64_t members = out[0].shape[0];
  for (const Spec& s : out)
    if (s.shape.empty() || s.shape[0] != members) return {};
  Batch b{members, std::vector<bool>(all.size())};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!c.has(i) || c.rank(i) == 0 || c.shape(i)[0] != members) continue;
    b.cut[i] = is_batched(all[i]) ? batch_axes(all[i], c.rank(i)) == most : is_open(all[i]) && c.rank(i) == rank;
  }
  return fits(c, out, b) ? b : Batch{};
}

bool same_bits(const Tensor& x, const Tensor& y) {
  if (x.spec() != y.spec()) return false;
  const auto bytes = static_cast<std::size_t>(x.size() * info(x.dtype()).bytes);
  return bytes == 0 || std::memcmp(contiguous(x).read<std::byte>(), contiguous(y).read<std::byte>(), bytes) == 0;
}

// The calls of an operation that are batches of more than one member.
std::vector<Call> batches(const Op& op) {
  std::vector<Call> all;
  for (const Case& c : cases_of(op, Budget::ci)) {
    std::int64_t elements = 0;
    for (const auto& in : c.in) elements += in ? count(in->shape) : 0;
    if (elements == 0 || elements > kElements) continue;
    if (batch_of(make_call(op, hollow(c), c.attrs)).members > 1) all.push_back(make_call(op, realize(op, c), c.attrs));
  }
  std::vector<Call> some;
  for (std::size_t i = 0; i < std::min(all.size(), kCalls); ++i)
    some.push_back(all[i * all.size() / std::min(all.size(), kCalls)]);
  return some;
}

std::string words(const Call& c) {
  std::string text(c.op->name);
  for (std::size_t i = 0; i < c.in.size(); ++i) text += c.has(i) ? " " + to_string(c.spec(i)) : " none";
  return text + " " + to_string(c.attrs);
}

const Device& device_of(const Route& r) {
  static const Device none;
  return r.needs == Tier::unavailable ? none : current_device();
}

// How many members were compared.
int expect_loop(const Call& c, const Route& r) {
  if (!refusal(r, c, device_of(r)).empty()) return 0;
  SCOPED_TRACE(words(c) + "@" + std::string(r.name));
  const Batch b = batch_of(c);
  const std::vector<Tensor> whole = run(c, r);
  int compared = 0;
  for (std::int64_t i = 0; i < b.members; ++i) {
    const Call one = member(c, b, i);
    if (!refusal(r, one, device_of(r)).empty()) continue;
    const std::vector<Tensor> alone = run(one, r);
    for (std::size_t k = 0; k < whole.size(); ++k)
      EXPECT_TRUE(same_bits(member(whole[k], i), alone[k])) << "output " << k << ", member " << i;
    ++compared;
  }
  return compared;
}

// Draws are by the place in all that is drawn: a batch of them is no loop.
bool draws(const Op& op) {
  return std::any_of(op.inputs.begin(), op.inputs.end(), [](auto i) { return input_name(i) == "key"; });
}

TEST(Batches, EqualALoopBitForBitOnEveryRoute) {
  install_families();
  int rows = 0;
  for (const Op& op : ops()) {
    if (draws(op) || std::none_of(op.parsed->inputs.begin(), op.parsed->inputs.end(), is_batched)) continue;
    std::map<std::string, int> compared;
    for (const Call& c : batches(op))
      for (const Route& r : routes(op)) compared[std::string(r.name)] += expect_loop(c, r);
    for (const auto& [name, n] : compared)
      std::printf("%s@%s: %d members\n", std::string(op.name).c_str(), name.c_str(), n);
    EXPECT_GT(compared[std::string(kReference)], 0) << op.name << " has no case of a batch";
    ++rows;
  }
  EXPECT_GT(rows, 20);
}

}  // namespace
}  // namespace plumb
