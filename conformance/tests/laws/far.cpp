// Index arithmetic beyond 2^32: an element far from the start of its storage is read as one nearby is.
//
// A route that adds or multiplies in 32 bits comes out near the start of the storage, where zeros are.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/reserved.h"

namespace plumb {
namespace {

constexpr std::int64_t kFar = std::int64_t{1} << 32;
constexpr std::int64_t kMaxElements = 4096;  // each may touch a page of its own

// Where the elements of a tensor lie: from `offset` on, steps of the outermost long axis `gap` wider than they need be.
struct Place {
  std::int64_t offset = 0, gap = 0;
};

Tensor placed(const Tensor& t, const Place& place) {
  const Tensor from = contiguous(t);
  Strides strides = row_major(from.shape());
  std::size_t outer = 0;
  while (outer < strides.size() && from.shape()[outer] < 2) ++outer;
  std::int64_t last = from.size() - 1;
  if (outer < strides.size() && place.gap > 0) {
    strides[outer] += place.gap / (from.shape()[outer] - 1);
    last += (from.shape()[outer] - 1) * (place.gap / (from.shape()[outer] - 1));
  }
  const Tensor to = Tensor(Spec{t.dtype(), {place.offset + last + 1}}).view(from.shape(), strides, place.offset);
  const auto bytes = static_cast<std::size_t>(info(t.dtype()).bytes);
  const std::byte* source = from.read<std::byte>();
  std::byte* target = to.write<std::byte>();
  for (std::int64_t i = 0; i < from.size(); ++i) {
    std::int64_t at = 0, left = i;
    for (std::size_t d = strides.size(); d-- > 0; left /= from.shape()[d]) at += left % from.shape()[d] * strides[d];
    std::memcpy(target + at * static_cast<std::int64_t>(bytes), source + i * static_cast<std::int64_t>(bytes), bytes);
  }
  return to;
}

Call call_at(const Op& op, const Case& c, const Place& place) {
  std::vector<Tensor> in = realize(op, c);
  for (Tensor& t : in)
    if (t.defined() && t.size() > 0) t = placed(t, place);
  return make_call(op, std::move(in), c.attrs);
}

std::string result(const Call& call, const Route& route) {
  std::string bytes;
  for (const Tensor& t : active(call, run(call, route))) {
    const Tensor dense = contiguous(t);
    if (dense.size() > 0)
      bytes.append(reinterpret_cast<const char*>(dense.read<std::byte>()),
                   static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes));
  }
  return bytes;
}

bool small(const Case& c) {
  std::int64_t all = 0;
  for (const auto& in : c.in)
    if (in) all = std::max(all, count(in->shape));
  return all > 0 && all <= kMaxElements;
}

// Every route of the processor gives the same bits for inputs that lie far and near; how many cases were asked.
int ask(const Op& op, const Place& near, const Place& far) {
  int asked = 0;
  for (const Case& c : cases_of(op, Budget::smoke)) {
    if (!small(c) || asked >= 12) continue;
    const Call here = call_at(op, c, near), there = call_at(op, c, far);
    for (const Route& r : routes(op)) {
      if (r.needs != Tier::unavailable || r.name == kReference || !refusal(r, here, Device()).empty()) continue;
      ++asked;
      EXPECT_EQ(refusal(r, there, Device()), "") << op.name << " " << r.name;
      EXPECT_TRUE(result(here, r) == result(there, r)) << id(op, c) << "@" << r.name;
    }
  }
  return asked;
}

class Far : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
  const ReservedOnly reserved_;
};

TEST_F(Far, InputsThatBeginBeyond32Bits) {
  for (const Op& op : ops())
    if (!op.inputs.empty()) {
      EXPECT_GT(ask(op, {5, 0}, {kFar + 5, 0}), 0) << op.name;
    }
}

TEST_F(Far, StepsThatLeadBeyond32Bits) {
  for (const Op& op : ops())
    if (!op.inputs.empty()) {
      EXPECT_GT(ask(op, {0, 4096}, {0, kFar}), 0) << op.name;
    }
}

}  // namespace
}  // namespace plumb
