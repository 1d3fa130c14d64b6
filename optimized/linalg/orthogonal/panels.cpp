// QR by panels: one matrix, its columns at about 1, reflected panel by panel; products for all that lies behind one.
#include "optimized/linalg/orthogonal/panels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/orthogonal/reflect.h"
#include "optimized/linalg/orthogonal/source.h"

namespace plumb {
namespace {

constexpr Limit kPiece{"panels.piece", 512, 7};  // columns behind a panel, between two looks at the clock

template <class T>
constexpr Dtype kType = sizeof(T) == 4 ? Dtype::f32 : Dtype::f64;

// b x b, in f64.
struct Small {
  std::int64_t b;
  std::vector<double> x;
  explicit Small(std::int64_t n) : b(n), x(static_cast<std::size_t>(n * n), 0.0) {}
  double& operator()(std::int64_t i, std::int64_t j) { return x[static_cast<std::size_t>(i * b + j)]; }
  double operator()(std::int64_t i, std::int64_t j) const { return x[static_cast<std::size_t>(i * b + j)]; }
};

// x y
Small product(const Small& x, const Small& y) {
  Small z(x.b);
  for (std::int64_t i = 0; i < x.b; ++i)
    for (std::int64_t l = 0; l < x.b; ++l)
      for (std::int64_t j = 0; j < x.b; ++j) z(i, j) += x(i, l) * y(l, j);
  return z;
}

// T with H_0 .. H_(b-1) = I - V T V^T: t_jj = tau_j, t_(0..j) = -tau_j T V^T v_j, where g = V^T V. Rounded to the type
// of the work.
template <class T>
Small join(const Small& g, const T* tau) {
  Small t(g.b);
  for (std::int64_t j = 0; j < g.b; ++j)
    for (std::int64_t i = 0; i <= j; ++i) {
      double sum = 0;
      for (std::int64_t l = i; l < j; ++l) sum += t(i, l) * g(l, j);
      t(i, j) = static_cast<double>(static_cast<T>(i < j ? -static_cast<double>(tau[j]) * sum : tau[j]));
    }
  return t;
}

// ||Q^T Q - I||_F of Q = I - V T V^T: Q^T Q - I = V M V^T, M = T^T G T - T - T^T, ||V M V^T||_F^2 = tr (M G)^2.
double departure(const Small& g, const Small& t) {
  const Small gt = product(g, t);
  Small m(g.b);
  for (std::int64_t i = 0; i < g.b; ++i)
    for (std::int64_t j = 0; j < g.b; ++j) {
      m(i, j) = -t(i, j) - t(j, i);
      for (std::int64_t l = 0; l <= i; ++l) m(i, j) += t(l, i) * gt(l, j);
    }
  const Small mg = product(m, g);
  double square = 0;
  for (std::int64_t i = 0; i < g.b; ++i)
    for (std::int64_t j = 0; j < g.b; ++j) square += mg(i, j) * mg(j, i);
  return std::sqrt(std::max(0.0, square));
}

template <class T>
class Panels {
 public:
  Panels(std::int64_t m, std::int64_t n, const PanelQr& o, const Deadline& d, PanelQrRun& run)
      : m_(m),
        n_(n),
        size_(std::min(m, n)),
        b_(std::min(o.panel, size_)),
        o_(o),
        deadline_(d),
        run_(run),
        w_(m * n),
        v_(m * size_),
        t_((size_ + b_ - 1) / b_ * b_ * b_),
        panel_(2 * m * b_),
        products_(2 * b_ * std::max(m, n)),
        wide_(m * b_),
        tau_(static_cast<std::size_t>(b_)) {}

  // False where the run says why there is no answer.
  bool factor(const float* a, const Source& s) {
    if (!load(a, s)) return false;
    for (std::int64_t k = 0; k < size_; k += b_) {
      const std::int64_t width = std::min(b_, size_ - k);
      if (!panel(k, width, o_)) return false;
      behind(k, width, w_.get(), n_, k + width, true);
    }
    return true;
  }

  void store(bool full, float* q, float* r) {
    const std::int64_t columns = full ? m_ : size_;
    const RawRoom<T> own(m_ * columns);
    T* to = own.get();
    std::fill(to, to + m_ * columns, T(0));
    for (std::int64_t k = 0; k < columns; ++k) to[k * columns + k] = 1;
    for (std::int64_t k = (size_ - 1) / b_ * b_; k >= 0; k -= b_)
      behind(k, std::min(b_, size_ - k), to, columns, k, false);
    std::copy_n(to, m_ * columns, q);
    for (std::int64_t i = 0; i < columns; ++i)
      for (std::int64_t j = 0; j < n_; ++j)
        r[i * n_ + j] =
            j < i ? 0.0f : static_cast<float>(std::ldexp(w_[i * n_ + j], powers_[static_cast<std::size_t>(j)]));
  }

 private:
  // Columns times powers of 2, so that no square leaves the range.
  bool load(const float* a, const Source& s) {
    std::vector<float> most(static_cast<std::size_t>(n_), 0.0f);
    for (std::int64_t i = 0; i < m_; ++i)
      for (std::int64_t j = 0; j < n_; ++j) {
        const float x = a[i * s.row + j * s.column];
        if (!std::isfinite(x)) {
          run_.code = 4, run_.value = NAN, run_.cause = "code 4";
          run_.column = j, run_.panel = j / o_.panel;
          return false;
        }
        float& largest = most[static_cast<std::size_t>(j)];
        largest = std::max(largest, std::abs(x));
      }
    powers_ = exponents_of(most);
    for (std::int64_t i = 0; i < m_; ++i)
      for (std::int64_t j = 0; j < n_; ++j)
        w_[i * n_ + j] = std::ldexp(static_cast<T>(a[i * s.row + j * s.column]), -powers_[static_cast<std::size_t>(j)]);
    return true;
  }

  // Reflected once, and once more, in exact sums, where the reflectors are not orthogonal enough.
  bool panel(std::int64_t k, std::int64_t width, PanelQr o) {
    for (bool again = false;; again = true) {
      const ReflectedPanel<T> p{panel_.get(), panel_.get() + m_ * b_, m_ - k, width, k, tau_.data()};
      for (std::int64_t i = k; i < m_; ++i)
        for (std::int64_t c = 0; c < width; ++c) p.columns[c * p.rows + i - k] = w_[i * n_ + k + c];
      if (!reflect(p, o, deadline_, run_)) return false;
      const double drift = joined(p) / std::sqrt(static_cast<double>(width));
      if (drift <= o_.drift || again) {
        run_.drift = std::max(run_.drift, drift);
        if (drift > o_.drift && o_.wider) return strays(k, drift);
        keep(p);
        return true;
      }
      ++run_.reorthogonalised;
      run_.iterations -= width;
      o.norms = o.dots = PanelQr::Sum::exact;
    }
  }

  bool strays(std::int64_t k, double drift) {
    run_.cause = "orthogonality", run_.value = drift, run_.column = k, run_.panel = k / o_.panel;
    return false;
  }

  // ||I - Q^T Q||_F of the panel's reflectors, joined.
  double joined(const ReflectedPanel<T>& p) {
    double* v = wide_.get();
    std::copy_n(p.v, p.width * p.rows, v);
    Small g(p.width);
    gemm(p.width, p.width, p.rows, {v, Dtype::f64, p.rows, 1}, {v, Dtype::f64, 1, p.rows}, g.x.data(), p.width);
    const Small t = join(g, tau_.data());
    T* to = t_.get() + p.first * b_;  // negated, since products are added
    for (std::int64_t i = 0; i < p.width; ++i)
      for (std::int64_t j = 0; j < p.width; ++j) to[i * b_ + j] = static_cast<T>(-t(i, j));
    return departure(g, t);
  }

  void keep(const ReflectedPanel<T>& p) {
    for (std::int64_t i = 0; i < p.rows; ++i)
      for (std::int64_t c = 0; c < p.width; ++c) {
        w_[(p.first + i) * n_ + p.first + c] = p.columns[c * p.rows + i];
        v_[(p.first + i) * size_ + p.first + c] = p.v[c * p.rows + i];
      }
  }

  // c -= V T V^T c, or with T^T: columns [from, columns) of the rows from k on, in pieces.
  void behind(std::int64_t k, std::int64_t width, T* c, std::int64_t columns, std::int64_t from, bool transposed) {
    const Dtype d = kType<T>;
    const T* v = v_.get() + k * size_ + k;
    const GemmOperand t{t_.get() + k * b_, d, transposed ? 1 : b_, transposed ? b_ : 1};
    T *products = products_.get(), *turned = products + b_ * std::max(m_, n_);
    const std::int64_t piece = kPiece.of(columns - from);
    for (std::int64_t j = from; j < columns; j += piece) {
      deadline_.check(k);
      const std::int64_t some = std::min(piece, columns - j);
      T* own = c + k * columns + j;
      gemm(width, some, m_ - k, {v, d, 1, size_}, {own, d, columns, 1}, products, some);
      gemm(width, some, width, t, {products, d, some, 1}, turned, some);
      gemm(m_ - k, some, width, {v, d, size_, 1}, {turned, d, some, 1}, own, columns, true);
    }
  }

  std::int64_t m_, n_, size_, b_;
  const PanelQr& o_;
  const Deadline& deadline_;
  PanelQrRun& run_;
  RawRoom<T> w_, v_, t_, panel_, products_;
  RawRoom<double> wide_;
  std::vector<T> tau_;
  std::vector<int> powers_;
};

struct Factored {
  const float* a;
  const Source& s;
  float *q, *r;
};

void undefined(const Factored& p, std::int64_t columns) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::fill_n(p.q, p.s.m * columns, nan);
  for (std::int64_t i = 0; i < columns; ++i)
    for (std::int64_t j = 0; j < p.s.n; ++j) p.r[i * p.s.n + j] = j < i ? 0.0f : nan;
}

template <class T>
bool answer(const Factored& p, const PanelQr& o, const Deadline& d, PanelQrRun& run) {
  Panels<T> panels(p.s.m, p.s.n, o, d, run);
  if (!panels.factor(p.a, p.s)) return false;
  panels.store(o.full, p.q, p.r);
  return true;
}

PanelQrRun factor(const Factored& p, const PanelQr& o, const Deadline& d) {
  PanelQrRun run = begin_run(p.s.m, p.s.n, o);
  const bool own = run.code == 0 && answer<float>(p, o, d, run);
  if (!own && o.wider) {
    PanelQrRun again;
    run.wider = run.whole = answer<double>(p, widened(o), d, again);
  } else {
    run.whole = own;
  }
  if (!run.whole) undefined(p, o.full ? p.s.m : std::min(p.s.m, p.s.n));
  end_run(run);
  return run;
}

void run(const Call& c, std::vector<Tensor>& out) {
  PanelQr usual;
  usual.full = false;
  (void)panel_qr_on_cpu(c[0], usual, out[0], out[1]);
}

Order own_type(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0);
  return o;
}

}  // namespace

std::vector<PanelQrRun> panel_qr_on_cpu(const Tensor& a, const PanelQr& o, const Tensor& q, const Tensor& r) {
  check(o);
  const Source s = source(a);
  std::vector<PanelQrRun> runs(static_cast<std::size_t>(s.matrices));
  const std::int64_t columns = o.full ? s.m : std::min(s.m, s.n);
  float *to_q = q.write<float>(), *to_r = r.write<float>();
  const float* from = a.read<float>();
  const Deadline deadline(o);
  const auto some = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const Factored p{from + s.base(i), s, to_q + i * s.m * columns, to_r + i * columns * s.n};
      runs[static_cast<std::size_t>(i)] = factor(p, o, deadline);
    }
  };
  if (std::min(s.m, s.n) == 0) {  // Q is I
    if (o.full)
      for (std::int64_t e = 0; e < q.size(); ++e) to_q[e] = e % (s.m * s.m) / s.m == e % s.m ? 1.0f : 0.0f;
    return runs;
  }
  if (s.matrices >= threads() && !deadline.set()) parallel_for(s.matrices, 1, some);
  else some(0, s.matrices);
  return runs;
}

Route panel_qr_cpu_route() {
  return {.op = "qr",
          .name = "cpu.limbs",
          .supports = {{Stage::shape_dtype, "not f32, of which exact sums are made",
                        [](const Call& c, const Device&) { return c.dtype(0) == Dtype::f32; }}},
          .prefers = {},
          .order = own_type,
          .prepare = host<run>};
}

}  // namespace plumb
