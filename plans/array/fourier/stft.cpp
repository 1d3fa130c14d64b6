#include "plans/array/fourier/stft.h"

#include <algorithm>
#include <cmath>

namespace plumb::fft {
namespace {

void set_window(const Request& r, Frames& t) {
  t.hop = r.none("hop_length") ? t.n / 4 : r.integer("hop_length");
  t.window = r.has(1) ? r.shape(1)[0] : r.none("win_length") ? t.n : r.integer("win_length");
  t.front = (t.n - t.window) / 2;
  t.pad = r.flag("center") ? t.n / 2 : 0;
}

void set_scale(const Request& r, Frames& t, bool inverse) {
  const auto n = static_cast<double>(t.n);
  const std::string& norm = r.text("norm");
  if (norm == "ortho") t.scale = 1 / std::sqrt(n);
  else if ((norm == "forward") != inverse) t.scale = 1 / n;
}

Beyond beyond_of(const std::string& mode) {
  if (mode == "edge") return Beyond::edge;
  if (mode == "reflect") return Beyond::reflect;
  return mode == "symmetric" ? Beyond::symmetric : Beyond::constant;
}

}  // namespace

Frames frames_of_stft(const Request& r) {
  Frames t;
  const Shape& shape = r.shape(0);
  t.n = r.integer("n_fft");
  set_window(r, t);
  set_scale(r, t, false);
  t.samples = shape.back();
  for (std::size_t d = 0; d + 1 < shape.size(); ++d) t.batch *= shape[d];
  t.half = r.none("onesided") ? !is_complex(r.dtype(0)) : r.flag("onesided");
  t.bins = t.half ? t.n / 2 + 1 : t.n;
  t.frames = 1 + (t.samples + 2 * t.pad - t.n) / t.hop;
  t.beyond = beyond_of(r.text("pad_mode"));
  return t;
}

Frames frames_of_istft(const Request& r) {
  Frames t;
  const Shape& shape = r.shape(0);
  t.half = r.none("onesided") || r.flag("onesided");
  t.bins = shape.end()[-2], t.frames = shape.end()[-1];
  t.n = !r.none("n_fft") ? r.integer("n_fft") : t.half ? 2 * (t.bins - 1) : t.bins;
  set_window(r, t);
  set_scale(r, t, true);
  for (std::size_t d = 0; d + 2 < shape.size(); ++d) t.batch *= shape[d];
  t.samples = r.none("length") ? (t.frames - 1) * t.hop + t.n - 2 * t.pad : r.integer("length");
  return t;
}

Problem problem_of(const Frames& t, bool inverse, std::int64_t outer, std::int64_t frames) {
  Problem p;
  p.n = t.n;
  p.inverse = inverse;
  p.real_out = inverse && t.half;
  p.size = inverse ? t.bins : t.n;
  p.used = std::min(p.size, p.real_out ? t.n / 2 + 1 : t.n);
  p.out = inverse ? t.n : t.bins;
  p.outer = outer, p.inner = frames, p.lines = outer * frames;
  p.scale = t.scale;
  return p;
}

// Mirrored at its ends, which stand once (reflect) or twice.
std::int64_t place(Beyond beyond, std::int64_t p, std::int64_t samples) {
  if (p >= 0 && p < samples) return p;
  if (beyond == Beyond::constant) return -1;
  if (beyond == Beyond::edge) return p < 0 ? 0 : samples - 1;
  const std::int64_t last = beyond == Beyond::reflect ? 2 * (samples - 1) : 2 * samples - 1;
  const std::int64_t period = beyond == Beyond::reflect ? last : last + 1;
  if (period == 0) return 0;
  const std::int64_t phase = (p % period + period) % period;
  return phase < samples ? phase : last - phase;
}

Order order_of(const Frames& t, bool inverse, double (*growth)(const Problem&), double twiddle_error) {
  const Problem p = problem_of(t, inverse, t.batch, t.frames);
  return order_of(growth(p) + (t.scale == 1 ? 0 : 1) + 1, 1, twiddle_error);
}

}  // namespace plumb::fft
