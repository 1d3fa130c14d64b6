// QR by panels with its parameters, on the processor (plans/linalg/orthogonal/panels.h).
#pragma once

#include <vector>

#include "core/route.h"
#include "plans/linalg/orthogonal/panels.h"

namespace plumb {

// Q and R of every matrix of a, of f32 and any strides, into q and r, row-major; NaN where there is no answer. Throws
// DeadlineError.
std::vector<PanelQrRun> panel_qr_on_cpu(const Tensor& a, const PanelQr&, const Tensor& q, const Tensor& r);

// Of each matrix.
std::vector<QrMeasures> measure_qr(const Tensor& a, const Tensor& q, const Tensor& r);

Route panel_qr_cpu_route();  // qr by the usual values of the parameters

}  // namespace plumb
