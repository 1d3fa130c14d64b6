// One panel of columns becomes R and reflectors, column by column, by sums that are exact or shared among threads.
#pragma once

#include <cstdint>

#include "plans/linalg/orthogonal/panels.h"

namespace plumb {

// A panel of `width` columns, each `rows` adjacent elements of a matrix whose columns began at about 1. Column c begins
// with c elements of R; v gets its reflector behind as many zeros.
template <class T>
struct ReflectedPanel {
  T *columns, *v;
  std::int64_t rows, width, first;  // the panel's first column in the matrix
  T* tau;
};

// False where the run says why there is no answer.
bool reflect(const ReflectedPanel<float>&, const PanelQr&, const Deadline&, PanelQrRun&);
bool reflect(const ReflectedPanel<double>&, const PanelQr&, const Deadline&, PanelQrRun&);

}  // namespace plumb
