// Chooses one of the compiled instruction sets at run time: PLUMB_DISPATCH(f)(arguments) calls
// plumb::avx512::f, plumb::avx2::f or plumb::base::f. Declare f for all three with PLUMB_DECLARE_SIMD.
// With PLUMB_ONE_ISA there is base alone, with PLUMB_WITHOUT_AVX512 the others.
#pragma once

#include "core/cpu.h"

#if defined(__x86_64__) && !defined(PLUMB_ONE_ISA)
#define PLUMB_DECLARE_SIMD(declaration) \
  namespace base {                      \
  declaration;                          \
  }                                     \
  namespace avx2 {                      \
  declaration;                          \
  }                                     \
  namespace avx512 {                    \
  declaration;                          \
  }
#ifdef PLUMB_WITHOUT_AVX512
#define PLUMB_DISPATCH(f) (::plumb::isa() == ::plumb::Isa::base ? ::plumb::base::f : ::plumb::avx2::f)
#else
#define PLUMB_DISPATCH(f)                                      \
  (::plumb::isa() == ::plumb::Isa::avx512 ? ::plumb::avx512::f \
   : ::plumb::isa() == ::plumb::Isa::avx2 ? ::plumb::avx2::f   \
                                          : ::plumb::base::f)
#endif
#else
#define PLUMB_DECLARE_SIMD(declaration) \
  namespace base {                      \
  declaration;                          \
  }
#define PLUMB_DISPATCH(f) ::plumb::base::f
#endif
