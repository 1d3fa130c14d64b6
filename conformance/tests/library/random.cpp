// The keys of draws that name none, against numbers that MLX 0.32.4 drew after mx.random.seed.
#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "core/error.h"
#include "core/route.h"
#include "library/random.h"

namespace plumb {
namespace {

Tensor drawn(std::string_view op, std::vector<Tensor> in, const Attrs& attrs) {
  return contiguous(run(make_call(op, std::move(in), attrs)).front());
}
std::vector<std::uint32_t> words(const Tensor& t) {
  const auto* w = t.read<std::uint32_t>();
  return {w, w + t.size()};
}
Tensor whole(std::int64_t n) { return tensor(Dtype::i32, {}, {static_cast<double>(n)}); }
Tensor uniform(KeySequence& keys) { return drawn("uniform", {{}, {}, keys.next()}, {{"shape", Shape{3}}}); }
Tensor randint(KeySequence& keys, std::int64_t high, std::int64_t n) {
  return drawn("randint", {whole(0), whole(high), keys.next()}, {{"shape", Shape{n}}});
}

using Words = std::vector<std::uint32_t>;

TEST(KeySequence, DrawsWhatMlxDrawsAfterASeed) {
  KeySequence keys(7);
  EXPECT_EQ(words(uniform(keys)), (Words{0x3d9f3935, 0x3e32a426, 0x3f55284f}));
  EXPECT_EQ(words(uniform(keys)), (Words{0x3f15b004, 0x3edfa60c, 0x3f34dbc1}));
  EXPECT_EQ(words(randint(keys, 1000, 4)), (Words{444, 446, 245, 79}));
  const Words z = words(drawn("normal", {keys.next()}, {{"shape", Shape{2}}})), mlx{0x3ebb78fc, 0x403230e3};
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(std::bit_cast<float>(z[i]), std::bit_cast<float>(mlx[i]), 4 * 0x1p-24 * 4);  // 4 ulps, below 4
}

TEST(KeySequence, ASeedHas64Bits) {
  KeySequence keys;
  keys.seed((std::uint64_t{1} << 40) + 5);
  EXPECT_EQ(words(randint(keys, 100000, 3)), (Words{74420, 73890, 2498}));
  const Tensor truths = drawn("bernoulli", {tensor(Dtype::f32, {}, {0.5}), keys.next()}, {{"shape", Shape{12}}});
  const auto* t = truths.read<std::uint8_t>();
  EXPECT_EQ((std::vector<int>{t, t + 12}), (std::vector<int>{0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(words(drawn("permutation_n", {keys.next()}, {{"n", 6}})), (Words{0, 3, 5, 2, 1, 4}));
}

TEST(KeySequence, GoesOnFromAState) {
  KeySequence keys(3);
  (void)keys.next();
  const Tensor state = keys.state();
  const Words first = words(keys.next());
  keys.set_state(state);
  EXPECT_EQ(words(keys.next()), first);
  EXPECT_THROW(keys.set_state(tensor(Dtype::i32, {2}, {0, 1})), Error);
  EXPECT_THROW(keys.set_state(tensor(Dtype::u32, {3}, {0, 1, 2})), Error);
  EXPECT_NE(words(keys.next()), first);  // a refused state changes nothing
}

}  // namespace
}  // namespace plumb
