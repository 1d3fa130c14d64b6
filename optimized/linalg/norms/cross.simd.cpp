// Cross products of a run: components that lie side by side in registers, all else one by one.
#include "optimized/linalg/norms/cross_run.h"

#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

struct Pair {
  float re, im;
};
inline Pair operator*(Pair a, Pair b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
inline Pair operator-(Pair a, Pair b) { return {a.re - b.re, a.im - b.im}; }

inline void put(float* p, float v) { *p = v; }
inline void put(double* p, double v) { *p = v; }
inline void put(Half* p, float v) { store_element(p, v); }
inline void put(Bf16* p, float v) { store_element(p, v); }
inline void put(Pair* p, Pair v) { *p = v; }
inline void put(std::uint8_t* p, std::uint32_t v) { *p = static_cast<std::uint8_t>(v); }
inline void put(std::uint16_t* p, std::uint32_t v) { *p = static_cast<std::uint16_t>(v); }
inline void put(std::uint32_t* p, std::uint32_t v) { *p = v; }
inline void put(std::uint64_t* p, std::uint64_t v) { *p = v; }

// What lacks a third component lacks its products.
template <class V>
inline void product(const V (&a)[3], const V (&b)[3], bool a3, bool b3, V (&c)[3]) {
  const V none{};
  c[0] = (b3 ? a[1] * b[2] : none) - (a3 ? a[2] * b[1] : none);
  c[1] = (a3 ? a[2] * b[0] : none) - (b3 ? a[0] * b[2] : none);
  c[2] = a[0] * b[1] - a[1] * b[0];
}

template <class A, class S>
void one_by_one(const CrossRun& r, std::int64_t i) {
  const auto *a = static_cast<const S*>(r.a.first), *b = static_cast<const S*>(r.b.first);
  auto* out = static_cast<S*>(r.out);
  for (; i < r.n; ++i) {
    A x[3] = {}, y[3] = {}, z[3];
    for (int k = 0; k < 2 + r.a.three; ++k) x[k] = element<A>(a + i * r.a.step + k * r.a.component);
    for (int k = 0; k < 2 + r.b.three; ++k) y[k] = element<A>(b + i * r.b.step + k * r.b.component);
    product(x, y, r.a.three, r.b.three, z);
    for (int k = 0; k < 3; ++k) put(out + i * r.out_step + k * r.out_component, z[k]);
  }
}

template <class A>
void by_lanes(const CrossRun& r) {
  std::int64_t i = 0;
  const auto *a = static_cast<const A*>(r.a.first), *b = static_cast<const A*>(r.b.first);
  auto* out = static_cast<A*>(r.out);
  if (r.a.step == 1 && r.b.step == 1 && r.out_step == 1)
    for (; i + kLanes<A> <= r.n; i += kLanes<A>) {
      Lanes<A> x[3] = {}, y[3] = {}, z[3];
      for (int k = 0; k < 2 + r.a.three; ++k) x[k] = load(a + i + k * r.a.component);
      for (int k = 0; k < 2 + r.b.three; ++k) y[k] = load(b + i + k * r.b.component);
      product(x, y, r.a.three, r.b.three, z);
      for (int k = 0; k < 3; ++k) store(out + i + k * r.out_component, z[k]);
    }
  one_by_one<A, A>(r, i);
}

}  // namespace

// All of one dtype; whole numbers modulo 2^bits.
void cross_run(Element t, const CrossRun& r) {
  switch (t) {
    case Element::boolean: return;
    case Element::u8:
    case Element::i8: return one_by_one<std::uint32_t, std::uint8_t>(r, 0);
    case Element::u16:
    case Element::i16: return one_by_one<std::uint32_t, std::uint16_t>(r, 0);
    case Element::u32:
    case Element::i32: return one_by_one<std::uint32_t, std::uint32_t>(r, 0);
    case Element::u64:
    case Element::i64: return one_by_one<std::uint64_t, std::uint64_t>(r, 0);
    case Element::f16: return one_by_one<float, Half>(r, 0);
    case Element::bf16: return one_by_one<float, Bf16>(r, 0);
    case Element::f32: return by_lanes<float>(r);
    case Element::f64: return by_lanes<double>(r);
    case Element::c64: return one_by_one<Pair, Pair>(r, 0);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
