// Hadamard transforms on the processor: lines by chunks that stay in the cache, long lines by blocks and then by
// columns, which threads share.
#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/dispatch.h"
#include "plans/array/transform/hadamard.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void hadamard_stages(bool wide, void* p, std::int64_t n, std::int64_t first, std::int64_t last);
                   void hadamard_pass(bool wide, void* p, std::int64_t stride, std::int64_t columns, int radix,
                                      double factor);
                   void hadamard_matrix(bool wide, void* p, std::int64_t row, std::int64_t columns, std::int64_t step,
                                        std::int64_t m, const void* signs, double factor);
                   void hadamard_scale(bool wide, void* p, std::int64_t n, double factor))

namespace {

// In scalars: a complex number is two of them. A long line has whole blocks in each of its up to 28 parts.
constexpr Limit kLongLine{"hadamard.long_line", 1 << 16, 1024};
constexpr Limit kBlock{"hadamard.block", 1 << 13, 32};
constexpr Limit kColumns{"hadamard.columns", 1 << 11, 32};  // of several rows, at once
constexpr std::int64_t kGrain = 1 << 15;                    // scalars worth a thread

struct Transform {
  hadamard::Length l;
  std::int64_t w = 1;  // scalars of a number
  bool wide = false;
  double factor = 1;
  Room<float> signs;
  Room<double> wide_signs;

  explicit Transform(const Call& c) : l(hadamard::length_of(c)), factor(hadamard::scale(c)) {
    const auto minus = hadamard::minus_signs(l.m);
    for (const std::uint32_t word : minus)
      for (std::int64_t j = 0; j < l.m; ++j) {
        signs.push_back((word >> j & 1) != 0 ? -1.0F : 1.0F);
        wide_signs.push_back(signs.back());
      }
    w = is_complex(c.dtype(0)) ? 2 : 1;
    wide = c.dtype(0) == Dtype::f64;
  }
  std::int64_t bytes() const { return wide ? 8 : 4; }
  std::int64_t scalars() const { return l.n * w; }  // of a line
  const void* sign_table() const {
    return wide ? static_cast<const void*>(wide_signs.data()) : static_cast<const void*>(signs.data());
  }
  std::byte* at(std::byte* x, std::int64_t scalar) const { return x + scalar * bytes(); }
};

// Lines that the cache holds.
void lines(const Transform& t, std::byte* x, std::int64_t count) {
  const std::int64_t p = t.l.p * t.w, n = t.scalars();
  PLUMB_DISPATCH(hadamard_stages)(t.wide, x, count * n, t.w, p);
  if (t.l.m == 1) return PLUMB_DISPATCH(hadamard_scale)(t.wide, x, count * n, t.factor);
  const auto matrix = PLUMB_DISPATCH(hadamard_matrix);
  constexpr std::int64_t kFew = 16;  // columns, of which lanes are better filled by lines
  if (p < kFew)
    for (std::int64_t i = 0; i < p; ++i) matrix(t.wide, t.at(x, i), p, count, n, t.l.m, t.sign_table(), t.factor);
  else
    for (std::int64_t i = 0; i < count; ++i) matrix(t.wide, t.at(x, i * n), p, p, 1, t.l.m, t.sign_table(), t.factor);
}

// One line: blocks, then passes of up to three stages over columns.
void long_line(const Transform& t, std::byte* x) {
  const std::int64_t p = t.l.p * t.w, n = t.scalars(), block = std::min(kBlock.of(n), p);
  parallel_for(n / block, std::max<std::int64_t>(1, kGrain / block), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b)
      PLUMB_DISPATCH(hadamard_stages)(t.wide, t.at(x, b * block), block, t.w, block);
  });
  const auto columns = [&](std::int64_t groups, std::int64_t rows, std::int64_t stride, auto f) {
    const std::int64_t width = kColumns.of(stride), tiles = (stride + width - 1) / width;
    parallel_for(groups * tiles, std::max<std::int64_t>(1, kGrain / (rows * width)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) {
                     const std::int64_t first = i % tiles * width;
                     f(t.at(x, i / tiles * rows * stride + first), std::min(width, stride - first));
                   }
                 });
  };
  for (std::int64_t s = block; s < p;) {
    const int radix = 8 * s <= p ? 8 : 4 * s <= p ? 4 : 2;
    const double factor = radix * s == n ? t.factor : 1;
    columns(n / (radix * s), radix, s, [&](std::byte* first, std::int64_t width) {
      PLUMB_DISPATCH(hadamard_pass)(t.wide, first, s, width, radix, factor);
    });
    s *= radix;
  }
  if (t.l.m > 1)
    columns(1, t.l.m, p, [&](std::byte* first, std::int64_t width) {
      PLUMB_DISPATCH(hadamard_matrix)(t.wide, first, p, width, 1, t.l.m, t.sign_table(), t.factor);
    });
}

// What elements become while they are computed with, and whether that is what the output holds.
Dtype computed_in(Dtype out) { return out == Dtype::f16 || out == Dtype::bf16 ? Dtype::f32 : out; }

void hadamard_transform(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t total = out[0].size();
  if (total == 0) return;
  const Transform t(c);
  const Dtype to = out[0].dtype(), in = computed_in(to);
  const Tensor a = contiguous(c[0]);
  const auto* x = a.read<std::byte>();
  auto* y = out[0].write<std::byte>();
  const Convert read = converter(a.dtype(), in), write = in == to ? nullptr : converter(in, to);
  const std::int64_t n = t.l.n, read_bytes = info(a.dtype()).bytes, write_bytes = info(to).bytes;
  const auto piece = [&](std::int64_t first, std::int64_t count, auto f) {  // of numbers
    const RawRoom<std::byte, 64> room(write ? count * info(in).bytes : 1);
    std::byte* const z = write ? room.get() : y + first * write_bytes;
    f(z);
    if (write) write(z, 1, y + first * write_bytes, count);
  };
  if (t.scalars() > kLongLine.of(t.scalars())) {
    for (std::int64_t first = 0; first < total; first += n)
      piece(first, n, [&](std::byte* z) {
        parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
          read(x + (first + begin) * read_bytes, 1, z + begin * info(in).bytes, end - begin);
        });
        long_line(t, z);
      });
    return;
  }
  const std::int64_t chunk = std::max<std::int64_t>(1, kBlock.of(total * t.w) / t.scalars());  // lines
  parallel_for(total / n, std::max<std::int64_t>(1, kGrain / t.scalars()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t l = begin; l < end; l += chunk) {
      const std::int64_t count = std::min(chunk, end - l);
      piece(l * n, count * n, [&](std::byte* z) {
        read(x + l * n * read_bytes, 1, z, count * n);
        lines(t, z, count);
      });
    }
  });
}

}  // namespace

std::vector<Route> hadamard_cpu_routes() {
  return {{.op = "hadamard_transform",
           .name = "cpu.butterflies",
           .supports = {},
           .prefers = {},
           .order = hadamard::order,
           .prepare = host<hadamard_transform>}};
}

}  // namespace plumb
