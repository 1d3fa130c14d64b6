// QR by panels of Householder reflections with its parameters: what may be asked of it, on either side, and what it
// tells.
//
//   for each column k      v = 2^-p R[k:, k];  v_0 += sign(v_0) ||v||;  tau = 2 / v^T v
//     within its panel     R[k:, j] -= tau (v^T R[k:, j]) v
//   for each panel         H_0 .. H_(b-1) = I - V T V^T;  R -= V T^T V^T R on the columns behind it
//   backward               Q = (I - V T V^T) Q, from I
//
// Exact sums do not depend on who adds what: each element is a whole number of 31 bits and a power of two, its squares
// and products are added in limbs of 16 bits, eight of them, and the sum is rounded once.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/error.h"

namespace plumb {

struct PanelQr {
  enum class Sum : std::uint8_t {
    exact,   // in limbs
    strided  // in f32: each thread every `group`-th term, threads in turn
  };

  std::int64_t panel = 32;                 // columns: 1 to 128
  std::optional<std::int64_t> group = {};  // threads that share a sum, at most 1024; else planned_group(m, n)
  Sum norms = Sum::exact;                  // v^T v
  Sum dots = Sum::exact;                   // v^T R[:, j]
  bool full = true;                        // Q is m x m and R m x n; else m x min(m, n) and min(m, n) x n
  bool wider = true;                       // what f32 does not answer is answered in f64

  double tiny = 1e-10;  // a norm at or below, of columns that began at about 1, is none
  double drift = 1e-5;  // ||I - Q^T Q||_F over sqrt(panel), beyond which a panel is reflected anew, in exact sums
  double timeout = 0;   // seconds; at or below 0 there is no limit
  std::function<double()> clock = {};  // in seconds; else the steady clock

  // Beyond these there is a code and no answer of f32.
  std::int64_t most_extent = 5000, busy_extent = 1000, most_items = 10000, most_iterations = 1000;
  double most_square = 1e20;
};

// What one matrix met.
struct PanelQrRun {
  // 0; 1: m or n above most_extent; 2: above busy_extent, above most_items for each thread, or no thread; 3: above
  // most_iterations; 4: a norm that is not finite; 5: v^T v that is not, or above most_square.
  int code = 0;
  double value = 0;                      // what was found, with a code
  std::int64_t panel = -1, column = -1;  // where f32 ended
  std::string cause;                     // why it did: "code 4", "tiny norm", "orthogonality"; "" where it answered
  bool wider = false, whole = true;      // f64 answered; there is an answer

  std::int64_t group = 0, panels = 0, iterations = 0;
  std::int64_t skipped = 0, reorthogonalised = 0;  // columns of tiny norm; panels reflected anew
  double drift = 0;                                // the most of any panel, over sqrt(its columns)

  // By places that a kernel's buffer has: 0 ran, 1 m, 2 n, 3 min(m, n), 12 iterations, 13 code, 14 value, 15 answered.
  std::array<float, 16> debug = {};
};

// Of a factorisation A = Q R, in f64.
struct QrMeasures {
  double orthogonality = 0;   // ||I - Q^T Q||_F over the columns of Q
  double triangularity = 0;   // ||R below its diagonal||_F
  double reconstruction = 0;  // ||A - Q R||_F over ||A||_F, or what it is where A is 0
};

void check(const PanelQr&);  // throws Error(attribute) for a panel, a group or a threshold that is none

// Threads for a matrix: a multiple of 32 from 32 to 1024. 32 up to 8 x 8; about one for each element up to 32 x 32, at
// most 256; beyond that at most 1024.
std::int64_t planned_group(std::int64_t m, std::int64_t n);

// A run that begins: its group, its places, and code 1 or 2 where there is too much to do.
PanelQrRun begin_run(std::int64_t m, std::int64_t n, const PanelQr&);
void end_run(PanelQrRun&);  // fills in the places that are known last

// f64 asks for none of the limits, and sums as it comes.
PanelQr widened(PanelQr);

class DeadlineError : public Error {
 public:
  using Error::Error;
};

// Read where work can end: between columns, between panels, between pieces of what lies behind a panel.
class Deadline {
 public:
  explicit Deadline(const PanelQr&);
  bool set() const { return timeout_ > 0; }
  void check(std::int64_t column) const;  // throws DeadlineError(unsupported), with the limit, once it has passed

 private:
  double timeout_, begin_;
  std::function<double()> clock_;
};

}  // namespace plumb
