#include "optimized/floats.h"

#include "core/pool.h"

namespace plumb::cpu {

Floats::Floats(const Call& call, std::string_view input) : Floats(call.has(input) ? call[input] : Tensor()) {}

Floats::Floats(const Tensor& t, Dtype rounded) : dense_(t.defined() ? contiguous(t) : t) {
  if (!t.defined() || dense_.size() == 0) return;
  const Element from = element_of(dense_.dtype()), to = element_of(rounded);
  const bool is_f32 = from == Element::f32;
  if (is_f32) data_ = dense_.read<float>();
  if (is_f32 && to == Element::f32) return;
  copy_ = RawRoom<float>(dense_.size());
  const auto* bytes = dense_.read<std::byte>();
  parallel_for(dense_.size(), 65536, [&](std::int64_t begin, std::int64_t end) {
    float* out = copy_.get() + begin;
    if (is_f32) return PLUMB_DISPATCH(round_floats)(data_ + begin, end - begin, to, out);
    PLUMB_DISPATCH(to_floats)(from, bytes + begin * info(dense_.dtype()).bytes, end - begin, out);
  });
  data_ = copy_.get();
}

}  // namespace plumb::cpu
