// Transforms of several axes for oracles: what is transformed, and how far a result may stray.
#pragma once

#include <vector>

#include "core/op.h"
#include "reference/array/fourier/dft.h"

namespace plumb::reference {

// Along axes[k], lengths[k] terms; real transforms take their half spectrum on the last axis named.
struct Transforms {
  Form form = Form::forward;
  std::vector<std::int64_t> axes, lengths;
  double terms = 1;  // the product of the lengths
  double scale = 1;
};
Transforms transforms_of(const Request&);  // throws Error

// Each block of elements by the norm of its error; block[i] is that of element i, allowed[b] what b may err by.
Deviation judge_norms(const Complexes& want, const Complexes& given, const std::vector<std::size_t>& block,
                      const std::vector<double>& allowed);
double relative_of(const Order&);  // what a route declares, or the rounding of the oracle's answer

// A block is what one transform takes: all elements whose indices on the other axes agree. Each is judged by the norm
// of its error (docs/bounds-fft.md).
Deviation judge_blocks(const Call&, const std::vector<Tensor>& got, const Order&);

}  // namespace plumb::reference
