// Streams that no fill can make: random models there and back between routes, and damaged ones.
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/families.h"
#include "core/error.h"
#include "core/fill.h"
#include "core/route.h"

namespace plumb {
namespace {

std::vector<const Route*> host_routes(std::string_view op) {
  std::vector<const Route*> found;
  for (const Route& r : routes(find_op(op)))
    if (r.needs == Tier::unavailable) found.push_back(&r);
  return found;
}

Tensor stream_of(const std::vector<Tensor>& encoded) {
  return contiguous(encoded[0].view({encoded[1].read<std::int64_t>()[0]}, {1}));
}

std::vector<std::int32_t> values(const Tensor& t) {
  const auto* p = t.read<std::int32_t>();
  return {p, p + t.size()};
}

struct Model {
  std::string encode, decode;
  Tensor model, symbols;
};

std::vector<Model> models() {
  std::vector<Model> all;
  for (const char* coder : {"range", "rans"})
    for (const std::int64_t S : {2, 3, 17, 300})
      for (const char* prob : {"positive-0.1", "wide-30", "impulse", "const-0"}) {
        const std::string name(coder);
        all.push_back({name + "_encode_from_prob", name + "_decode_from_prob", fill({Dtype::f32, {200, S}}, prob, 7),
                       fill({Dtype::i32, {200}}, "below-" + std::to_string(S), 8)});
      }
  for (const std::int64_t S : {2, 9, 1000})
    all.push_back({"range_encode", "range_decode", fill({Dtype::i16, {200, S + 1}}, "cdf", 7),
                   fill({Dtype::i32, {200}}, "below-" + std::to_string(S), 8)});
  return all;
}

TEST(Entropy, SymbolsComeBackWhicheverRouteWroteThem) {
  install_families();
  for (const Model& m : models())
    for (const Route* to : host_routes(m.encode)) {
      const Tensor stream = stream_of(run(make_call(m.encode, {m.model, m.symbols}), *to));
      for (const Route* from : host_routes(m.decode))
        EXPECT_EQ(values(m.symbols), values(run(make_call(m.decode, {m.model, stream}), *from)[0]))
            << m.encode << " " << to->name << ", " << m.decode << " " << from->name;
    }
}

// What a route makes of a stream: its symbols, or none.
Tensor answer(const Call& call, const Route& r) {
  try {
    return run(call, r)[0];
  } catch (const Error& e) {
    EXPECT_EQ(Reason::domain, e.reason()) << e.what();
    return {};
  }
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.spec() == b.spec() &&
         std::equal(a.read<std::uint8_t>(), a.read<std::uint8_t>() + a.size(), b.read<std::uint8_t>());
}

TEST(Entropy, DamagedStreamsAreRefusedByEveryRouteOrAreThoseOfOtherSymbols) {
  install_families();
  for (const Model& m : models()) {
    const Tensor stream = stream_of(run(make_call(m.encode, {m.model, m.symbols})));
    const auto* bytes = stream.read<std::uint8_t>();
    for (std::uint64_t i = 0; i < 40; ++i) {
      const std::uint64_t d = draw(9, i);
      const std::int64_t cut = i % 4 == 1 ? static_cast<std::int64_t>(d % 5) : 0, more = i % 4 == 2 ? 1 : 0;
      const std::int64_t length = std::max<std::int64_t>(0, stream.size() - cut) + more;
      Tensor damaged({Dtype::u8, {length}});
      auto* b = damaged.write<std::uint8_t>();
      std::fill_n(b, length, std::uint8_t{0});
      std::copy_n(bytes, std::min(length, stream.size()), b);
      if (i % 4 == 0 && length > 0)
        b[d % static_cast<std::uint64_t>(length)] ^= static_cast<std::uint8_t>(1 << (d >> 32) % 8);
      const Call call = make_call(m.decode, {m.model, damaged});
      const Tensor want = answer(call, *host_routes(m.decode).back());
      for (const Route* r : host_routes(m.decode)) {
        const Tensor got = answer(call, *r);
        ASSERT_EQ(want.defined(), got.defined()) << m.decode << " " << r->name;
        if (!got.defined()) continue;
        EXPECT_EQ(values(want), values(got)) << m.decode << " " << r->name;
        EXPECT_TRUE(same_bytes(damaged, stream_of(run(make_call(m.encode, {m.model, got})))))
            << m.decode << " " << r->name;
      }
    }
  }
}

}  // namespace
}  // namespace plumb
