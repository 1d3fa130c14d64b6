// Windows of an array read and written on the device.
#include "core/with_last.h"
#include "gpu/array/index/moves.h"

namespace plumb {
namespace {

using gpu::Combine;

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = "gpu.rows";
  r.tier = r.needs = Tier::gpu;
  r.prefers = gpu::preferences();
  r.order = index::once;
  r.prepare = prepare;
  return r;
}

Route update(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r = route(op, prepare);
  r.supports = {gpu::kWideUpdates};
  return r;
}

}  // namespace

std::vector<Route> slice_gpu_routes() {
  Route divide = update("slice_update_divide", with_last<gpu::prepare_update, Combine::divide>);
  divide.supports.push_back(gpu::kDividesRight);
  return {divide,
          update("slice_update_subtract", with_last<gpu::prepare_update, Combine::subtract>),
          route("slice", gpu::prepare_read),
          update("slice_update", with_last<gpu::prepare_update, Combine::set>),
          update("slice_update_add", with_last<gpu::prepare_update, Combine::add>),
          update("slice_update_prod", with_last<gpu::prepare_update, Combine::prod>),
          update("slice_update_max", with_last<gpu::prepare_update, Combine::max>),
          update("slice_update_min", with_last<gpu::prepare_update, Combine::min>),
          route("slice_dynamic", gpu::prepare_read),
          update("slice_update_dynamic", with_last<gpu::prepare_update, Combine::set>)};
}

}  // namespace plumb
