#include "library/factor.h"

#include "core/gate.h"
#include "core/route.h"
#include "optimized/linalg/orthogonal/panels.h"
#include "optimized/linalg/tiled.h"
#ifdef PLUMB_GPU
#include "gpu/linalg/orthogonal/panels.h"
#include "gpu/linalg/tiled.h"
#endif

namespace plumb {
namespace {

// The route of the row, which a call must pass as any other does.
const Route& admitted(const Call& c, const char* cpu, const char* gpu, On on) {
  if (on == On::device && current_device().tier == Tier::unavailable)
    throw Error(std::string(c.op->name), Reason::device, "no device");
  const Route& r = find_route(*c.op, on == On::cpu ? cpu : gpu);
  admit(r, c, device_of(r));
  return r;
}

}  // namespace

std::string CholeskyResult::answered(std::size_t matrix) const {
  const TiledCholeskyRun& run = runs.at(matrix);
  return run.status != 0 ? "" : run.wider ? route + " in f64" : route;
}

CholeskyResult tiled_cholesky(const Tensor& a, const TiledCholesky& options, On on, bool upper) {
  check(options);
  const Call call = make_call("cholesky", {a}, {{"upper", upper}});
  CholeskyResult result;
  result.route = admitted(call, "cpu.tiled", "gpu.tiled", on).name;
  result.factor = Tensor(a.spec());
#ifdef PLUMB_GPU
  if (on == On::device) result.runs = gpu::DeviceCholesky(a, upper, options, result.factor).run();
#endif
  if (on == On::cpu) result.runs = tiled_cholesky_on_cpu(a, upper, options, result.factor);
  for (const TiledCholeskyRun& r : result.runs) result.wider += r.wider ? 1 : 0, result.failed += r.status != 0 ? 1 : 0;
  return result;
}

std::string QrResult::answered(std::size_t matrix) const {
  const PanelQrRun& run = runs.at(matrix);
  return !run.whole ? "" : run.wider ? route + " in f64" : route;
}

QrResult panel_qr(const Tensor& a, const PanelQr& options, On on) {
  check(options);
  const Call call = make_call("qr", {a});
  QrResult result;
  result.route = admitted(call, "cpu.limbs", "gpu.limbs", on).name;
  std::vector<Spec> specs = output_specs(call);
  if (options.full) {
    const std::int64_t m = a.dim(-2);
    specs[0].shape.back() = m, specs[1].shape[specs[1].shape.size() - 2] = m;
  }
  result.q = Tensor(specs[0]), result.r = Tensor(specs[1]);
#ifdef PLUMB_GPU
  if (on == On::device) result.runs = gpu::DeviceQr(a, options, result.q, result.r).run();
#endif
  if (on == On::cpu) result.runs = panel_qr_on_cpu(a, options, result.q, result.r);
  result.measures = measure_qr(a, result.q, result.r);
  for (const PanelQrRun& r : result.runs) {
    result.wider += r.wider ? 1 : 0, result.failed += r.whole ? 0 : 1;
    result.reorthogonalised += r.reorthogonalised;
  }
  return result;
}

}  // namespace plumb
