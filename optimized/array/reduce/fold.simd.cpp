// Products, and what is counted of elements that are zero or not.
#include "optimized/array/reduce/folds.h"
#include "optimized/element_registers.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class A>
struct Product {
  typedef A Partial;
  template <class S>
  static Lanes<A> lanes(const S* x) {
    return elements<A>(x);
  }
  template <class S>
  static A one(const S* x) {
    return element<A>(x);
  }
  template <class T>
  static T join(T a, T b) {
    return a * b;
  }
  static A none() { return A{1}; }
};

// Halves in float, integers modulo 2^32 or 2^64, where a sign changes nothing.
template <class F>
inline void with_factors(Element t, const void* x, F&& f) {
  typedef std::uint32_t u32;
  typedef std::uint64_t u64;
  switch (t) {
    case Element::boolean:
    case Element::u8: return f(static_cast<const std::uint8_t*>(x), Product<u32>{});
    case Element::u16: return f(static_cast<const std::uint16_t*>(x), Product<u32>{});
    case Element::i8: return f(static_cast<const std::int8_t*>(x), Product<u32>{});
    case Element::i16: return f(static_cast<const std::int16_t*>(x), Product<u32>{});
    case Element::i32:
    case Element::u32: return f(static_cast<const u32*>(x), Product<u32>{});
    case Element::i64:
    case Element::u64: return f(static_cast<const u64*>(x), Product<u64>{});
    case Element::f16: return f(static_cast<const Half*>(x), Product<float>{});
    case Element::bf16: return f(static_cast<const Bf16*>(x), Product<float>{});
    case Element::f32: return f(static_cast<const float*>(x), Product<float>{});
    case Element::f64: return f(static_cast<const double*>(x), Product<double>{});
    case Element::c64: return;  // pairs have no lanes here
  }
}

// How many elements are not 0: words of which a bit of `mask` is set.
template <class A>
struct Count {
  typedef A Partial;
  A mask;
  template <class S>
  Lanes<A> lanes(const S* x) const {
    return (Lanes<A>)(((elements<A>(x) & mask) != 0) & 1);
  }
  template <class S>
  A one(const S* x) const {
    return (element<A>(x) & mask) != 0;
  }
  template <class T>
  static T join(T a, T b) {
    return a + b;
  }
  static A none() { return 0; }
};

// Whether there is any that is 0, or any that is not: some bit of the partial result is set.
template <class A>
struct Seen {
  typedef A Partial;
  A mask;
  bool zero;
  template <class S>
  Lanes<A> lanes(const S* x) const {
    const Lanes<A> v = elements<A>(x) & mask;
    return zero ? (Lanes<A>)(v == 0) : v;
  }
  template <class S>
  A one(const S* x) const {
    const A v = element<A>(x) & mask;
    return zero ? A{v == 0} : v;
  }
  template <class T>
  static T join(T a, T b) {
    return a | b;
  }
  static A none() { return 0; }
};

}  // namespace

void fold_product(Element t, const void* x, const FoldCall& call) {
  with_factors(t, x, [&](const auto* p, auto f) { fold_as(f, p, call); });
}

// Words of `bytes`; partial results of 8 bytes where those have 8, else of 4.
void fold_count(int bytes, std::uint64_t mask, const void* x, const FoldCall& call) {
  const Count<std::uint32_t> f{static_cast<std::uint32_t>(mask)};
  if (bytes == 1) fold_as(f, static_cast<const std::uint8_t*>(x), call);
  else if (bytes == 2) fold_as(f, static_cast<const std::uint16_t*>(x), call);
  else if (bytes == 4) fold_as(f, static_cast<const std::uint32_t*>(x), call);
  else fold_as(Count<std::uint64_t>{mask}, static_cast<const std::uint64_t*>(x), call);
}
void fold_seen(int bytes, std::uint64_t mask, bool zero, const void* x, const FoldCall& call) {
  const Seen<std::uint32_t> f{static_cast<std::uint32_t>(mask), zero};
  if (bytes == 1) fold_as(f, static_cast<const std::uint8_t*>(x), call);
  else if (bytes == 2) fold_as(f, static_cast<const std::uint16_t*>(x), call);
  else if (bytes == 4) fold_as(f, static_cast<const std::uint32_t*>(x), call);
  else fold_as(Seen<std::uint64_t>{mask, zero}, static_cast<const std::uint64_t*>(x), call);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
