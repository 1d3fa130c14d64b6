// The element type of a dtype, on the side that knows both.
#pragma once

#include "core/dtype.h"
#include "optimized/element.h"

namespace plumb {

constexpr Element element_of(Dtype t) { return static_cast<Element>(t); }

static_assert(element_of(Dtype::boolean) == Element::boolean && element_of(Dtype::u8) == Element::u8 &&
              element_of(Dtype::u16) == Element::u16 && element_of(Dtype::u32) == Element::u32 &&
              element_of(Dtype::u64) == Element::u64 && element_of(Dtype::i8) == Element::i8 &&
              element_of(Dtype::i16) == Element::i16 && element_of(Dtype::i32) == Element::i32 &&
              element_of(Dtype::i64) == Element::i64 && element_of(Dtype::f16) == Element::f16 &&
              element_of(Dtype::bf16) == Element::bf16 && element_of(Dtype::f32) == Element::f32 &&
              element_of(Dtype::f64) == Element::f64 && element_of(Dtype::c64) == Element::c64);

}  // namespace plumb
