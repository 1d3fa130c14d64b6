// Factorisations whose parameters a caller sets, and which tell how they went. Rows of the tables have no such
// parameters: cholesky@cpu.tiled, cholesky@gpu.tiled, qr@cpu.limbs and qr@gpu.limbs are these with the usual values.
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"
#include "plans/linalg/orthogonal/panels.h"
#include "plans/linalg/tiled.h"

namespace plumb {

enum class On : bool { cpu, device };  // where a factorisation runs

struct CholeskyResult {
  Tensor factor;                       // of the shape and type of the matrices; lower, or upper
  std::vector<TiledCholeskyRun> runs;  // of each matrix
  std::string route;                   // "cpu.tiled" or "gpu.tiled"
  std::int64_t wider = 0, failed = 0;  // matrices that f64 answered; that have no whole factor

  // The route that answered for a matrix: "cpu.tiled", "cpu.tiled in f64", or "" where its factor is not whole.
  std::string answered(std::size_t matrix) const;
};

// Of one or more square matrices of f32 or f64, as the row `cholesky`: no error, but a status, where one is not
// positive definite. Throws Error(attribute) for parameters that make no sense, (device) where there is none, and what
// the row throws for other shapes and types.
CholeskyResult tiled_cholesky(const Tensor& a, const TiledCholesky& = {}, On = On::cpu, bool upper = false);

struct QrResult {
  Tensor q, r;
  std::vector<PanelQrRun> runs;                              // of each matrix, and how good its answer is
  std::vector<QrMeasures> measures;                          // NaN where there is no answer
  std::string route;                                         // "cpu.limbs" or "gpu.limbs"
  std::int64_t wider = 0, failed = 0, reorthogonalised = 0;  // matrices that f64 answered, without answer; panels

  // "cpu.limbs", "cpu.limbs in f64", or "" where there is no answer.
  std::string answered(std::size_t matrix) const;
};

// Of one or more matrices of f32. No error, but a code, where f32 gives none. Throws DeadlineError once the time has
// passed, Error(attribute), (device) and (unsupported: of f64), and what the row `qr` throws for other shapes and
// types.
QrResult panel_qr(const Tensor& a, const PanelQr& = {}, On = On::cpu);

}  // namespace plumb
