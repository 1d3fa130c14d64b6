// QR by panels with its parameters, on the device (plans/linalg/orthogonal/panels.h).
#pragma once

#include <memory>
#include <vector>

#include "core/route.h"
#include "plans/linalg/orthogonal/panels.h"

namespace plumb::gpu {

// Q and R of every matrix of a, as panel_qr_on_cpu makes them; to be run as often as one likes.
class DeviceQr {
 public:
  DeviceQr(const Tensor& a, const PanelQr&, const Tensor& q, const Tensor& r);
  std::vector<PanelQrRun> run() const;  // waits for the end; throws DeadlineError

 private:
  struct Bound;
  std::shared_ptr<const Bound> bound_;
};

Order own_type(const Call&);  // sums of the elements' type, fused

Route panel_qr_gpu_route();  // qr by the usual values of the parameters

}  // namespace plumb::gpu
