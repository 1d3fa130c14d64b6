// Transforms of frames: blocks of frames side by side, so that a bin of all of them is a row; and frames added up
// again.
#include "plans/array/fourier/stft.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/fourier/lines.h"
#include "optimized/array/operand.h"

namespace plumb {
namespace {

using fft::Frames;
using Floats = RawRoom<float, 64>;

constexpr double kTwiddleError = 0x1p-24;
constexpr Limit kFrames{"stft.frames", 64, 4};           // in a block
constexpr Limit kSamples{"istft.samples", 1 << 13, 16};  // that are added up at once

// n factors, 0 around the window.
Room<float> window_of(const Call& c, const Frames& t) {
  Room<float> w(static_cast<std::size_t>(t.n), 0.0F);
  const auto first = w.begin() + static_cast<std::ptrdiff_t>(t.front);
  std::fill_n(first, t.window, 1.0F);
  if (!c.has(1) || t.window == 0) return w;
  const Tensor given = contiguous(as_dtype(c[1], Dtype::f32));
  std::copy_n(given.read<float>(), t.window, first);
  return w;
}

// Samples first, first + hop, .. of a signal of complex numbers times w, as a row.
void take(const Frames& t, const float* x, std::int64_t first, float w, std::int64_t frames, float* row) {
  const bool inside = first >= 0 && first + (frames - 1) * t.hop < t.samples;
  for (std::int64_t f = 0; f < frames; ++f) {
    const std::int64_t p = first + f * t.hop, at = inside ? p : fft::place(t.beyond, p, t.samples);
    row[2 * f] = at < 0 ? 0 : w * x[2 * at];
    row[2 * f + 1] = at < 0 ? 0 : w * x[2 * at + 1];
  }
}

void stft(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Frames t = fft::frames_of_stft(c);
  const Room<float> w = window_of(c, t);
  const Tensor signal = fft::complex_input(c[0], false);
  const float* x = signal.read<float>();
  float* y = out[0].write<float>();
  const std::int64_t most = std::min(t.frames, kFrames.of(t.frames)), blocks = (t.frames + most - 1) / most;
  parallel_for(t.batch * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const Floats framed(2 * t.n * most), spectra(2 * t.bins * most);
    for (std::int64_t u = begin; u < end; ++u) {
      const std::int64_t b = u / blocks, f = u % blocks * most, frames = std::min(most, t.frames - f);
      for (std::int64_t i = 0; i < t.n; ++i)
        take(t, x + 2 * b * t.samples, f * t.hop + i - t.pad, w[static_cast<std::size_t>(i)], frames,
             framed.get() + 2 * i * frames);
      fft::transform_lines(fft::problem_of(t, false, 1, frames), framed.get(), spectra.get());
      for (std::int64_t k = 0; k < t.bins; ++k)
        std::memcpy(y + 2 * ((b * t.bins + k) * t.frames + f), spectra.get() + 2 * k * frames,
                    static_cast<std::size_t>(2 * frames) * sizeof(float));
    }
  });
}

// Samples from `first` on of one signal, which is `parts` floats a sample in rows of frames: w y and w w of each frame
// that holds them, in binary64, where no square of a float is lost.
struct Added {
  const Frames& t;
  const float* w;
  const float* y;
  std::int64_t parts;

  void operator()(std::int64_t first, std::int64_t samples, double* sum, double* squares) const {
    std::fill_n(sum, samples, 0.0);
    std::fill_n(squares, samples, 0.0);
    for (std::int64_t i = 0; i < t.n; ++i) {
      const std::int64_t ahead = first - i;
      std::int64_t f = ahead <= 0 ? 0 : (ahead + t.hop - 1) / t.hop;
      for (; f < t.frames && f * t.hop + i < first + samples; ++f) {
        const std::int64_t s = f * t.hop + i - first;
        const double v = w[i];
        sum[s] += v * y[(i * t.frames + f) * parts];
        squares[s] += v * v;
      }
    }
  }
};

void add_up(const Frames& t, const float* w, const float* y, std::int64_t parts, float* out) {
  const std::int64_t most = std::min(t.samples, kSamples.of(t.samples)), blocks = (t.samples + most - 1) / most;
  parallel_for(t.batch * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const RawRoom<double, 64> sum(most), squares(most);
    for (std::int64_t u = begin; u < end; ++u) {
      const std::int64_t b = u / blocks, at = u % blocks * most, samples = std::min(most, t.samples - at);
      const Added added{t, w, y + b * t.n * t.frames * parts, parts};
      added(at + t.pad, samples, sum.get(), squares.get());
      float* to = out + b * t.samples + at;
      for (std::int64_t s = 0; s < samples; ++s) to[s] = squares[s] == 0 ? 0 : static_cast<float>(sum[s] / squares[s]);
    }
  });
}

void istft(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Frames t = fft::frames_of_istft(c);
  const Room<float> w = window_of(c, t);
  const Tensor spectra = fft::complex_input(c[0], false);
  const fft::Problem p = fft::problem_of(t, true, t.batch, t.frames);
  const std::int64_t parts = t.half ? 1 : 2;
  const Floats y(p.lines * t.n * parts);
  if (t.half) fft::transform_to_real(p, spectra.read<float>(), y.get());
  else fft::transform_lines(p, spectra.read<float>(), y.get());
  add_up(t, w.data(), y.get(), parts, out[0].write<float>());
}

Order stft_order(const Call& c) { return fft::order_of(fft::frames_of_stft(c), false, fft::growth, kTwiddleError); }
Order istft_order(const Call& c) { return fft::order_of(fft::frames_of_istft(c), true, fft::growth, kTwiddleError); }

}  // namespace

std::vector<Route> stft_cpu_routes() {
  Route forward, back;
  forward.op = "stft";
  forward.order = stft_order;
  forward.prepare = host<stft>;
  back.op = "istft";
  back.order = istft_order;
  back.prepare = host<istft>;
  forward.name = back.name = "cpu.frames";
  return {forward, back};
}

}  // namespace plumb
