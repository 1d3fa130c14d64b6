// QR by panels with its parameters, on the device: see kernels/linalg/orthogonal/panels.cl.
#include "gpu/linalg/orthogonal/panels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "gpu/runtime.h"

namespace plumb::gpu {
namespace {

constexpr std::int64_t kFlat = 64, kJoin = 128;  // work-items of groups that no parameter names
constexpr std::int64_t kEach = 8;                // EACH of the kernels
constexpr std::int64_t kWorthLaunch = 1 << 14;   // elements
constexpr std::int64_t kMostThreads = 1024;      // of a group that shares a sum
constexpr std::int64_t kUsualThreads = 128;      // for every matrix: each size of a group would be compiled by itself
constexpr std::int64_t kMatrices = 128;          // that are worth taking one after another

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
std::int64_t pieces(std::int64_t n, std::int64_t each) { return (n + each - 1) / each; }

struct Extents {
  std::int64_t m, n, size, b, columns;  // columns of Q, and rows of R
};

// One matrix in one type.
class PanelWork {
 public:
  PanelWork(const Extents& e, Dtype type, const PanelQr& o, const Deadline& d, PanelQrRun& run)
      : e_(e), type_(type), o_(o), deadline_(d), run_(run) {
    const std::int64_t bytes = info(type).bytes, most = std::max({e.m, e.n, e.columns});
    w_ = scratch(size(e.m * e.n * bytes)), v_ = scratch(size(e.m * e.size * bytes));
    t_ = scratch(size(pieces(e.size, e.b) * e.b * e.b * bytes));
    panel_ = scratch(size(e.m * e.b * bytes)), reflectors_ = scratch(size(e.m * e.b * bytes));
    products_ = scratch(size(e.b * most * bytes)), turned_ = scratch(size(e.b * most * bytes));
    tau_ = scratch(size(e.b * bytes)), exponents_ = scratch(size(e.b * 4)), powers_ = scratch(size(e.n * 4));
    gram_ = scratch(size(e.b * e.b * 8)), room_ = scratch(size(3 * e.b * e.b * 8));
    state_ = scratch(4 * sizeof(std::int32_t)), value_ = scratch(8), drift_ = scratch(8);
  }

  // False where the run says why there is no answer.
  bool factor(const BufferPtr& a, std::int64_t first) {
    put({0, std::numeric_limits<std::int32_t>::max(), 0, 0});
    kernel("scale").arg(a).arg(w_).arg(powers_).arg(state_).arg(first).arg(e_.m).arg(e_.n).run({size(e_.n)},
                                                                                               {size(kFlat)});
    if (get()[0] != 0) return ends(4, get()[1], NAN);
    for (std::int64_t k = 0; k < e_.size; k += e_.b) {
      const std::int64_t width = std::min(e_.b, e_.size - k);
      if (!panel(k, width, o_)) return false;
      behind(k, width, w_, e_.n, k + width, true);
    }
    return true;
  }

  void store(const BufferPtr& q, std::int64_t first_q, const BufferPtr& r, std::int64_t first_r, bool whole) {
    const std::int64_t in_q = e_.m * e_.columns, in_r = e_.columns * e_.n;
    const BufferPtr own = scratch(size(in_q * info(type_).bytes));
    kernel("identity").arg(own).arg(e_.columns).arg(in_q).run({size(in_q)}, {size(kFlat)});
    for (std::int64_t k = (e_.size - 1) / e_.b * e_.b; k >= 0 && whole; k -= e_.b)
      behind(k, std::min(e_.b, e_.size - k), own, e_.columns, k, false);
    Kernel finish_q = kernel("finish_q"), finish_r = kernel("finish_r");
    finish_q.arg(own).arg(q).arg(first_q).arg(std::int32_t{whole}).arg(in_q).run({size(in_q)}, {size(kFlat)});
    finish_r.arg(w_).arg(powers_).arg(r).arg(first_r).arg(e_.n).arg(std::int32_t{whole}).arg(in_r);
    finish_r.run({size(in_r)}, {size(kFlat)});
    finish();  // what was scratch is free again
  }

 private:
  using State = std::array<std::int32_t, 4>;

  Kernel kernel(const char* name) const { return Kernel("panels", name, {{"X", type_}}); }
  void put(const State& s) const { state_->upload(reinterpret_cast<const std::byte*>(s.data())); }
  State get() const {
    State s{};
    state_->download(reinterpret_cast<std::byte*>(s.data()));
    return s;
  }
  static double number(const BufferPtr& from) {
    double x = 0;
    from->download(reinterpret_cast<std::byte*>(&x));
    return x;
  }

  bool ends(int code, std::int64_t column, double value) {
    run_.code = std::max(code, 0), run_.value = value;
    run_.column = column, run_.panel = column / o_.panel;
    run_.cause = code > 0 ? "code " + std::to_string(code) : "tiny norm";
    return false;
  }

  // Reflected once, and once more, in exact sums, where the reflectors are not orthogonal enough.
  bool panel(std::int64_t k, std::int64_t width, PanelQr o) {
    const std::int64_t rows = e_.m - k;
    for (bool again = false;; again = true) {
      const State before = get();
      kernel("take").arg(w_).arg(panel_).arg(rows).arg(e_.n).arg(k).arg(width).run({size(rows * width)}, {size(kFlat)});
      reflect(k, width, o);
      const State s = get();
      run_.iterations = s[2], run_.skipped = s[3];
      if (s[0] != 0) return ends(s[0], s[1], number(value_));
      const double drift = joined(k, width) / std::sqrt(static_cast<double>(width));
      if (drift <= o_.drift || again) {
        run_.drift = std::max(run_.drift, drift);
        if (drift > o_.drift && o_.wider) return strays(k, drift);
        kernel("keep")
            .arg(w_)
            .arg(v_)
            .arg(panel_)
            .arg(reflectors_)
            .arg(rows)
            .arg(e_.n)
            .arg(e_.size)
            .arg(k)
            .arg(width)
            .run({size(rows * width)}, {size(kFlat)});
        return true;
      }
      ++run_.reorthogonalised;
      put(before);
      o.norms = o.dots = PanelQr::Sum::exact;
    }
  }

  bool strays(std::int64_t k, double drift) {
    run_.cause = "orthogonality", run_.value = drift, run_.column = k, run_.panel = k / o_.panel;
    return false;
  }

  // Column by column: a group that shares the sums of the norm, then a group for each column behind it.
  void reflect(std::int64_t k, std::int64_t width, const PanelQr& o) {
    const std::int64_t rows = e_.m - k, group = run_.group;
    const std::int32_t norms{o.norms == PanelQr::Sum::exact}, dots{o.dots == PanelQr::Sum::exact};
    for (std::int64_t c = 0; c < width; ++c) {
      if (deadline_.set()) finish();
      deadline_.check(k + c);
      Kernel reflector = kernel("reflector"), update = kernel("update");
      reflector.arg(panel_).arg(reflectors_).arg(tau_).arg(exponents_).arg(state_).arg(value_).arg(rows).arg(c).arg(k);
      reflector.arg(norms).arg(std::int32_t{o.wider}).arg(o.most_iterations).arg(o.tiny).arg(o.most_square);
      reflector.run({size(group)}, {size(group)});
      update.arg(panel_).arg(reflectors_).arg(tau_).arg(exponents_).arg(state_).arg(rows).arg(c).arg(dots);
      update.run({size(group), size(width - c - 1)}, {size(group), 1});
    }
  }

  // ||I - Q^T Q||_F of the panel's reflectors, joined.
  double joined(std::int64_t k, std::int64_t width) {
    kernel("gram")
        .arg(reflectors_)
        .arg(gram_)
        .arg(e_.m - k)
        .arg(width)
        .run({size(width), size(width)}, {size(kFlat), 1});
    Kernel join = kernel("join");
    join.arg(gram_).arg(tau_).arg(t_).arg(room_).arg(drift_);
    join.arg(width).arg(e_.b).arg(k * e_.b);
    join.run({size(kJoin)}, {size(kJoin)});
    return number(drift_);
  }

  // c -= V T V^T c, or with T^T: columns [from, columns) of the rows from k on.
  void behind(std::int64_t k, std::int64_t width, const BufferPtr& c, std::int64_t columns, std::int64_t from,
              bool transposed) {
    if (deadline_.set()) finish();
    deadline_.check(k);
    const std::int64_t some = columns - from;
    const std::int64_t b = width;
    Kernel project = kernel("project"), turn = kernel("turn"), reflect = kernel("reflect");
    project.arg(c).arg(v_).arg(products_).arg(e_.m).arg(e_.size).arg(columns).arg(from).arg(k).arg(b);
    project.run({size(some), size(pieces(width, kEach))}, {size(kFlat), 1});
    turn.arg(products_).arg(t_).arg(turned_).arg(columns).arg(from).arg(b).arg(e_.b);
    turn.arg(k * e_.b).arg(std::int32_t{transposed}).run({size(some), size(width)}, {size(kFlat), 1});
    reflect.arg(c).arg(v_).arg(turned_).arg(e_.m).arg(e_.size).arg(columns).arg(from).arg(k).arg(b);
    reflect.run({size(some), size(pieces(e_.m - k, kEach))}, {size(kFlat), 1});
  }

  Extents e_;
  Dtype type_;
  const PanelQr& o_;
  const Deadline& deadline_;
  PanelQrRun& run_;
  BufferPtr w_, v_, t_, panel_, reflectors_, products_, turned_, tau_, exponents_, powers_, gram_, room_;
  BufferPtr state_, value_, drift_;
};

std::int64_t matrices(const Tensor& a) { return count(Shape(a.shape().begin(), a.shape().end() - 2)); }

Extents extents(const Tensor& a, const PanelQr& o) {
  const std::int64_t m = a.dim(-2), n = a.dim(-1), least = std::min(m, n);
  return {m, n, least, std::min(o.panel, least), o.full ? m : least};
}

}  // namespace

struct DeviceQr::Bound {
  PanelQr options;
  Extents e;
  std::int64_t matrices;
  Tensor q, r;
  BufferPtr a, to_q, to_r;

  PanelQrRun one(std::int64_t i, const Deadline& d) const {
    PanelQrRun run = begin_run(e.m, e.n, options);
    run.whole = run.code == 0 && answer(i, Dtype::f32, options, d, run, !options.wider);
    if (!run.whole && options.wider) {
      const PanelQr wide = widened(options);
      PanelQrRun again;
      again.group = *wide.group;
      run.wider = run.whole = answer(i, Dtype::f64, wide, d, again, true);
    } else if (run.code == 1 || run.code == 2) {
      PanelQrRun nothing;
      PanelWork(e, Dtype::f32, options, d, nothing).store(to_q, i * e.m * e.columns, to_r, i * e.columns * e.n, false);
    }
    end_run(run);
    return run;
  }

  // last: NaN is stored where there is no answer.
  bool answer(std::int64_t i, Dtype type, const PanelQr& o, const Deadline& d, PanelQrRun& run, bool last) const {
    PanelWork work(e, type, o, d, run);
    const bool whole = work.factor(a, i * e.m * e.n);
    if (whole || last) work.store(to_q, i * e.m * e.columns, to_r, i * e.columns * e.n, whole);
    return whole;
  }
};

DeviceQr::DeviceQr(const Tensor& a, const PanelQr& o, const Tensor& q, const Tensor& r) {
  check(o);
  auto b = std::make_shared<Bound>(Bound{o, extents(a, o), matrices(a), q, r, nullptr, nullptr, nullptr});
  if (b->e.size > 0 && b->matrices > 0) b->a = dense(a), b->to_q = output(q), b->to_r = output(r);
  bound_ = b;
}

std::vector<PanelQrRun> DeviceQr::run() const {
  const Bound& b = *bound_;
  std::vector<PanelQrRun> runs(size(b.matrices));
  if (!b.a) {  // Q is I
    float* q = b.q.write<float>();
    const std::int64_t columns = std::max<std::int64_t>(1, b.e.columns);
    for (std::int64_t e = 0; e < b.q.size(); ++e) q[e] = e % (columns * columns) / columns == e % columns ? 1.0f : 0.0f;
    return runs;
  }
  (void)output(b.q), (void)output(b.r);
  const Deadline deadline(b.options);
  for (std::int64_t i = 0; i < b.matrices; ++i) runs[size(i)] = b.one(i, deadline);
  return runs;
}

namespace {

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  PanelQr usual;
  usual.full = false;
  usual.group = kUsualThreads;
  return {[work = DeviceQr(c[0], usual, out[0], out[1])] { (void)work.run(); }, finish, [out] { return out; }};
}

}  // namespace

Order own_type(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0);
  o.fma = true;
  return o;
}

Route panel_qr_gpu_route() {
  return {.op = "qr",
          .name = "gpu.limbs",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {{Stage::device, "the device has no binary64, in which reflectors are joined",
                        [](const Call&, const Device& d) { return d.fp64; }},
                       {Stage::device, "work-groups are smaller than 1024",
                        [](const Call&, const Device& d) { return d.facts.max_work_group >= size(kMostThreads); }},
                       {Stage::shape_dtype, "above 128 matrices, of which it takes one after another",
                        [](const Call& c, const Device&) { return matrices(c[0]) <= kMatrices; }},
                       {Stage::shape_dtype, "not f32, of which exact sums are made",
                        [](const Call& c, const Device&) { return c.dtype(0) == Dtype::f32; }}},
          .prefers = {kNotHost,
                      {Stage::shape_dtype, "under 16384 elements: a launch costs more",
                       [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }}},
          .order = own_type,
          .prepare = prepare};
}

}  // namespace plumb::gpu
