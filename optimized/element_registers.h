// Elements read as registers: for hot loops, in place of the reading of element.h, whose copy of bytes compilers make
// in halves through memory, where the whole then waits for both.
#pragma once

#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// kLanes<A> consecutive elements, converted to A; of those types that C++ has.
template <class A, class S>
requires requires(S s) { s + 1; }
static inline Lanes<A> elements(const S* p) {
  return __builtin_convertvector(*reinterpret_cast<const typename VectorOf<S, kLanes<A>>::type*>(p), Lanes<A>);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
