// Two factorisations as kernels that a caller brings: Cholesky by tiles, and QR by panels with exact sums of squares.
// Each is one group with a barrier between its phases, and answers the cases of the op within the op's bounds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/device.h"
#include "core/route.h"
#include "core/tolerance.h"
#include "library/custom_kernel.h"

namespace plumb {
namespace {

constexpr std::int64_t kGroups[] = {1, 7, 32, 33, 1024};

// The diagonal block by one thread, its panel by rows, the rest by elements. A pivot at or below n eps of the largest
// diagonal element, or none at all, ends the work: status is 1 + its place.
constexpr const char* kCholesky = R"(
  const int n = a_shape[0], t = thread_index_in_threadgroup, threads = threads_per_threadgroup.x;
  local int bad;
  for (int e = t; e < n * n; e += threads) l[e] = e % n > e / n ? 0.0f : a[e];
  if (t == 0) bad = 0;
  float most = 0;
  for (int i = 0; i < n; ++i) most = fmax(most, a[i * n + i]);
  const float least = n * FLT_EPSILON * most;
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  for (int k = 0; k < n; k += BLOCK) {
    const int end = min(k + BLOCK, n);
    for (int j = k; t == 0 && bad == 0 && j < end; ++j) {
      const float d = reduced(l + j * n, l + j * n, k, j);
      if (!(d > least) || isinf(d)) bad = 1 + j;
      l[j * n + j] = sqrt(d);
      for (int i = j + 1; i < end; ++i) l[i * n + j] = reduced(l + i * n, l + j * n, k, j) / l[j * n + j];
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (bad != 0) break;
    for (int i = end + t; i < n; i += threads)
      for (int j = k; j < end; ++j) l[i * n + j] = reduced(l + i * n, l + j * n, k, j) / l[j * n + j];
    barrier(CLK_GLOBAL_MEM_FENCE);
    const int rest = n - end;
    for (int e = t; e < rest * rest; e += threads) {
      const int i = end + e / rest, j = end + e % rest;
      for (int p = k; i >= j && p < end; ++p) l[i * n + j] = fma(-l[i * n + p], l[j * n + p], l[i * n + j]);
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
  if (t == 0) status[0] = bad;)";

constexpr const char* kReduced = R"(
static float reduced(global const float* x, global const float* y, const int k, const int j) {
  float s = x[j];
  for (int p = k; p < j; ++p) s = fma(-x[p], y[p], s);
  return s;
})";

// Columns are brought to a largest element in [1, 2) by powers of 2, and back at the end.
constexpr const char* kQr = R"(
  const int m = a_shape[0], n = a_shape[1], size = min(m, n);
  const int t = thread_index_in_threadgroup, threads = threads_per_threadgroup.x;
  local int code;
  local float twice[PANEL];
  if (t == 0) code = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int j = t; j < n; j += threads) {
    float most = 0, none = 0;
    for (int i = 0; i < m; ++i) most = fmax(most, fabs(a[i * n + j])), none += a[i * n + j] - a[i * n + j];
    if (none != 0) atomic_xchg(&code, 4);
    powers[j] = most > 0 && none == 0 ? ilogb(most) : 0;
    for (int i = 0; i < m; ++i) r[i * n + j] = ldexp(a[i * n + j], -powers[j]);
  }
  for (int e = t; e < m * m; e += threads) q[e] = e / m == e % m ? 1.0f : 0.0f;
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  const int columns = code == 0 ? size : 0;
  for (int first = 0; first < columns; first += PANEL) {
    const int end = min(first + PANEL, size);
    for (int k = first; k < end; ++k) {
      global float* own = v + (k - first) * m;
      float most = fabs(r[k * n + k]), below = 0;
      for (int i = k + 1; i < m; ++i) below = fmax(below, fabs(r[i * n + k]));
      most = fmax(most, below);
      const int e = most > 0 ? ilogb(most) + 1 : 0;
      for (int i = k + t; i < m; i += threads) own[i] = ldexp(r[i * n + k], -e);
      barrier(CLK_GLOBAL_MEM_FENCE);
      const float norm = sqrt(squares(own, k, m, 0, room, t, threads)), head = own[k];
      const float pole = copysign(norm, head);
      barrier(CLK_GLOBAL_MEM_FENCE);
      if (t == 0) own[k] = head + pole;
      barrier(CLK_GLOBAL_MEM_FENCE);
      const int top = own[k] != 0 ? max(0, ilogb(own[k]) + 1) : 0;
      const float length = squares(own, k, m, top, room, t, threads);
      if (t == 0) twice[k - first] = below > 0 ? 2 / length : 0;
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int j = k + 1 + t; j < end; j += threads) reflect(r + j, n, own, k, m, twice[k - first]);
      for (int i = k + t; below > 0 && i < m; i += threads) r[i * n + k] = i == k ? ldexp(-pole, e) : 0.0f;
      barrier(CLK_GLOBAL_MEM_FENCE);
    }
    for (int k = first; k < end; ++k) {
      for (int j = end + t; j < n; j += threads) reflect(r + j, n, v + (k - first) * m, k, m, twice[k - first]);
      for (int i = t; i < m; i += threads) reflect(q + i * m, 1, v + (k - first) * m, k, m, twice[k - first]);
    }
    barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
  }
  for (int e = t; e < m * n; e += threads) r[e] = e / n > e % n ? 0.0f : ldexp(r[e], powers[e % n]);
  if (t == 0) status[0] = code;)";

// The sum of v_i^2 of |v_i| < 2^e as whole numbers of units of 2^(e - 31): eight limbs of 16 bits, so that neither the
// number of threads nor their order shows.
constexpr const char* kSquares = R"(
static void carried(uint* limb) {
  for (int i = 0; i < 7; ++i) limb[i + 1] += limb[i] >> 16, limb[i] &= 0xFFFF;
}
static float squares(global const float* v, const int from, const int m, const int e, global uint* room, const int t,
                     const int threads) {
  uint limb[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  for (int i = from + t; i < m; i += threads) {
    const uint x = convert_uint_rte(ldexp(fabs(v[i]), 31 - e)), low = x & 0xFFFF, high = x >> 16;
    const uint l = low * low, c = low * high, h = high * high;
    limb[0] += l & 0xFFFF;
    limb[1] += (l >> 16) + 2 * (c & 0xFFFF);
    limb[2] += 2 * (c >> 16) + (h & 0xFFFF);
    limb[3] += h >> 16;
  }
  carried(limb);
  for (int i = 0; i < 8; ++i) room[8 * t + i] = limb[i];
  barrier(CLK_GLOBAL_MEM_FENCE);
  for (int i = 0; i < 8; ++i) limb[i] = 0;
  for (int s = 0; s < threads; ++s)
    for (int i = 0; i < 8; ++i) limb[i] += room[8 * s + i];
  carried(limb);
  barrier(CLK_GLOBAL_MEM_FENCE);
  double sum = 0;
  for (int i = 7; i >= 0; --i) sum = sum * 65536 + limb[i];
  return (float)ldexp(sum, 2 * e - 62);
}
// x -= v (twice v^T x), of elements `step` apart
static void reflect(global float* x, const int step, global const float* v, const int from, const int m,
                    const float twice) {
  float dot = 0;
  for (int i = from; i < m; ++i) dot = fma(v[i], x[i * step], dot);
  for (int i = from; i < m; ++i) x[i * step] = fma(-v[i], twice * dot, x[i * step]);
})";

struct Answer {
  std::vector<Tensor> out;
  int status = 0;  // of the kernel; else `out` is not meant to be read
};

Answer cholesky_of(const Tensor& a, std::int64_t group, std::int64_t block = 16) {
  const CustomKernel kernel(
      {.name = "tiled_cholesky", .inputs = {"a"}, .outputs = {"l", "status"}, .body = kCholesky, .header = kReduced});
  const auto out = kernel({a}, {.outputs = {{Dtype::f32, a.shape()}, {Dtype::i32, {1}}},
                                .grid = {group, 1, 1},
                                .group = {group, 1, 1},
                                .constants = {{"BLOCK", block}}});
  return {{out[0]}, contiguous(out[1]).read<std::int32_t>()[0]};
}

Answer qr_of(const Tensor& a, std::int64_t group, std::int64_t panel = 8) {
  const std::int64_t m = a.dim(0), n = a.dim(1), size = std::min(m, n);
  const CustomKernel kernel({.name = "panel_qr",
                             .inputs = {"a"},
                             .outputs = {"q", "r", "v", "powers", "room", "status"},
                             .body = kQr,
                             .header = kSquares});
  const auto out = kernel({a}, {.outputs = {{Dtype::f32, {m, m}},
                                            {Dtype::f32, {m, n}},
                                            {Dtype::f32, {panel, m}},
                                            {Dtype::i32, {n}},
                                            {Dtype::u32, {8 * group}},
                                            {Dtype::i32, {1}}},
                                .grid = {group, 1, 1},
                                .group = {group, 1, 1},
                                .constants = {{"PANEL", panel}}});
  return {{contiguous(out[0].view({m, size}, {m, 1})), contiguous(out[1].view({size, n}, {n, 1}))},
          contiguous(out[5]).read<std::int32_t>()[0]};
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.spec() == b.spec() && std::memcmp(contiguous(a).read<std::byte>(), contiguous(b).read<std::byte>(),
                                             static_cast<std::size_t>(a.size() * 4)) == 0;
}

Tensor turned(const Tensor& a) { return contiguous(a.view({a.dim(1), a.dim(0)}, {1, a.dim(1)})); }

class KernelPatterns : public ::testing::Test {
 protected:
  void SetUp() override {
    if (current_device().tier == Tier::unavailable || !current_device().fp64) GTEST_SKIP() << "no device with f64";
  }
};

// The arithmetic that both declare: fused, in the type of the input.
Order fused(const Call& c, std::int64_t block) {
  Order o;
  o.accumulator = c.dtype(0), o.fma = true, o.block = block;
  return o;
}

// f(call, the oracle's answer) for the cases of one matrix of f32 that is small enough to be asked by five groups.
template <class F>
void each_case(std::string_view name, F&& f) {
  install_families();
  const Op& op = find_op(name);
  int asked = 0;
  for (const Case& c : cases_of(op, Budget::ci)) {
    const Spec a{c.in[0]->dtype, c.in[0]->shape};
    if (a.dtype != Dtype::f32 || a.shape.size() != 2 || count(a.shape) == 0 || count(a.shape) > 49 * 49) continue;
    SCOPED_TRACE(id(op, c));
    const Call call = make_call(op, realize(op, c), c.attrs);
    f(call, op.oracle(call));
    ++asked;
  }
  EXPECT_GT(asked, 20) << name;
}

// Every group gives the bits of the first one.
template <class F>
Answer of_every_group(F&& f) {
  Answer first = f(kGroups[0]);
  for (const std::int64_t group : kGroups) {
    const Answer next = f(group);
    EXPECT_EQ(next.status, first.status) << group;
    for (std::size_t i = 0; i < first.out.size() && first.status == 0; ++i)
      EXPECT_TRUE(same_bits(next.out[i], first.out[i])) << "output " << i << ", a group of " << group;
  }
  return first;
}

TEST_F(KernelPatterns, CholeskyAnswersTheCasesOfTheOp) {
  int answered = 0;
  each_case("cholesky", [&](const Call& c, const std::vector<Wide>& want) {
    const bool upper = c.flag("upper");
    const Tensor a = contiguous(c[0]);
    const Answer got = of_every_group([&](std::int64_t g) { return cholesky_of(upper ? turned(a) : a, g); });
    EXPECT_EQ(got.status, 0);
    const Tensor factor = upper ? turned(got.out[0]) : got.out[0];
    const Deviation d = compare(c, want, magnitude(c), fused(c, 16), {factor});
    EXPECT_TRUE(d.ok()) << to_string(d);
    ++answered;
  });
  EXPECT_GT(answered, 20);
}

// The second pivot of 1 1, 1 1 + t is t: below the guard, though the matrix has a factor; then none, then no number.
// An infinite diagonal element puts the guard above every pivot.
TEST_F(KernelPatterns, CholeskyTellsThePivotThatIsNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double corner : {1 + 0x1p-23, 1.0, 0.5, -1.0, nan, inf}) {
    const Tensor a = tensor(Dtype::f32, {2, 2}, std::vector<double>{1, 1, 1, corner});
    for (const std::int64_t group : kGroups)
      EXPECT_EQ(cholesky_of(a, group).status, std::isinf(corner) ? 1 : 2) << corner << " by " << group;
  }
}

TEST_F(KernelPatterns, QrAnswersTheCasesOfTheOp) {
  int answered = 0;
  each_case("qr", [&](const Call& c, const std::vector<Wide>& want) {
    const Answer got = of_every_group([&](std::int64_t g) { return qr_of(contiguous(c[0]), g); });
    const Tensor dense = contiguous(c[0]);
    const auto* x = dense.read<float>();
    const bool finite = std::all_of(x, x + dense.size(), [](float v) { return std::isfinite(v); });
    ASSERT_EQ(got.status, finite ? 0 : 4);
    if (!finite) return;
    const Deviation d = compare(c, want, magnitude(c), fused(c, 8), got.out);
    EXPECT_TRUE(d.ok()) << to_string(d);
    ++answered;
  });
  EXPECT_GT(answered, 20);
}

}  // namespace
}  // namespace plumb
