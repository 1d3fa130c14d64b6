// Planning shared by the CPU and the device routes of transforms of frames.
#pragma once

#include "plans/array/fft.h"

namespace plumb::fft {

enum class Beyond : std::uint8_t { constant, edge, reflect, symmetric };  // what continues a signal

// Frame f holds the samples from f hop - pad on, n of them, times a window that begins `front` behind its first.
struct Frames {
  std::int64_t n = 0, hop = 0, window = 0, front = 0, pad = 0;
  std::int64_t batch = 1, samples = 0, bins = 0, frames = 0;
  Beyond beyond = Beyond::constant;
  bool half = true;  // spectra of n/2 + 1 bins that stand for n
  double scale = 1;
};
Frames frames_of_stft(const Request&);
Frames frames_of_istft(const Request&);  // samples: of the result

// Of so many frames, that lie side by side in each row of [outer, n, frames] and of [outer, bins, frames].
Problem problem_of(const Frames&, bool inverse, std::int64_t outer, std::int64_t frames);

// Where sample p of a signal of `samples` that goes on beyond its ends is found; -1: it is 0.
std::int64_t place(Beyond, std::int64_t p, std::int64_t samples);

// The levels of one line, of the factor and of the window.
Order order_of(const Frames&, bool inverse, double (*growth)(const Problem&), double twiddle_error);

}  // namespace plumb::fft
