// The lines of a scan, for its oracles and bounds.
#pragma once

#include "core/op.h"
#include "reference/index.h"

namespace plumb::reference {

// The elements of a line in the order of the scan: x_0 is the first element, or the last one if it goes backward.
template <class T>
class Walk {
 public:
  Walk(Line<T> line, std::int64_t n, bool backward) : line_(line), last_(n - 1), backward_(backward) {}
  T& operator()(std::int64_t k) const { return line_(backward_ ? last_ - k : k); }

 private:
  Line<T> line_;
  std::int64_t last_;
  bool backward_;
};

// One line if the axis is none.
inline Lines scanned(const Call& c) { return c.none("axis") ? Lines({c[0].size()}, 0) : Lines(c.shape(0), c.axis()); }

// y_k = value of e . x_0 . .. . x_k, without x_k if the scan is exclusive. State is what is carried along, e when it is
// new, and takes the next element by add(x).
template <class State, class T, class Y>
void scan(const Call& c, const Array<T>& x, State e, Array<Y>& y) {
  const Lines lines = scanned(c);
  const bool backward = c.flag("reverse"), inclusive = c.flag("inclusive");
  for (std::int64_t l = 0; l < lines.count; ++l) {
    const Walk<const T> from(lines.line(x, l), lines.size, backward);
    const Walk<Y> to(lines.line(y, l), lines.size, backward);
    State s = e;
    for (std::int64_t k = 0; k < lines.size; ++k) {
      if (!inclusive) to(k) = s.value();
      s.add(from(k));
      if (inclusive) to(k) = s.value();
    }
  }
}

}  // namespace plumb::reference
