// Transforms of frames of a signal, and the signal that frames come from.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/array/fourier/blocks.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kMax = 0x1.fffffep127;
constexpr std::int64_t kLongest = std::int64_t{1} << 40;  // frames and hops; beyond them no room is enough

// Frames of n samples, `hop` apart, times a window that begins `front` behind the first.
struct Frames {
  std::int64_t n = 0, hop = 0, window = 0, front = 0, pad = 0, frames = 0, bins = 0;
  bool half = true;
  double scale = 1;
};

void read_frames(const Request& r, Frames& t, Form form) {
  const std::string& norm = r.text("norm");
  if (norm != "backward" && norm != "ortho" && norm != "forward") r.fail(Reason::attribute, "norm=" + norm);
  if (t.n <= 0) r.fail(r.none("n_fft") ? Reason::shape : Reason::attribute, "n_fft is " + std::to_string(t.n));
  t.hop = r.none("hop_length") ? t.n / 4 : r.integer("hop_length");
  if (t.hop <= 0) r.fail(Reason::attribute, "hop_length is " + std::to_string(t.hop));
  if (t.n > kLongest || t.hop > kLongest) r.fail(Reason::memory, "frames of more than 2^40 samples");
  t.window = r.none("win_length") ? t.n : r.integer("win_length");
  if (r.has("window")) {
    const std::int64_t given = r.shape(1)[0];
    if (!r.none("win_length") && t.window != given)
      r.fail(Reason::attribute,
             "win_length is " + std::to_string(t.window) + " of a window of " + std::to_string(given));
    t.window = given;
  }
  if (t.window < 0 || t.window > t.n)
    r.fail(Reason::attribute, "a window of " + std::to_string(t.window) + " in frames of " + std::to_string(t.n));
  t.front = (t.n - t.window) / 2;
  t.pad = r.flag("center") ? t.n / 2 : 0;
  t.scale = scale_of(form, norm, static_cast<double>(t.n));
}

Frames forward_frames(const Request& r) {
  Frames t;
  t.n = r.integer("n_fft");
  read_frames(r, t, Form::forward);
  const std::string& mode = r.text("pad_mode");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "symmetric")
    r.fail(Reason::attribute, "no mode '" + mode + "'; there are constant, edge, reflect and symmetric");
  const std::int64_t samples = r.size('N');
  if (samples == 0 && t.pad > 0 && mode != "constant") r.fail(Reason::shape, "no sample: there is nothing to continue");
  if (samples + 2 * t.pad < t.n)
    r.fail(Reason::shape, std::to_string(samples) + " samples in frames of " + std::to_string(t.n));
  t.half = r.none("onesided") ? !is_complex(r.dtype(0)) : r.flag("onesided");
  t.bins = t.half ? t.n / 2 + 1 : t.n;
  t.frames = 1 + (samples + 2 * t.pad - t.n) / t.hop;
  return t;
}

std::vector<Spec> infer_stft(const Request& r) {
  const Frames t = forward_frames(r);
  return r.outputs({{'K', t.bins}, {'F', t.frames}});
}

Frames inverse_frames(const Request& r) {
  Frames t;
  t.half = r.none("onesided") || r.flag("onesided");
  t.bins = r.size('K'), t.frames = r.size('F');
  t.n = !r.none("n_fft") ? r.integer("n_fft") : t.half ? 2 * (t.bins - 1) : t.bins;
  read_frames(r, t, Form::inverse);
  if (t.frames == 0) r.fail(Reason::shape, "no frames");
  return t;
}

std::int64_t length_of(const Request& r, const Frames& t) {
  if (r.none("length")) return (t.frames - 1) * t.hop + t.n - 2 * t.pad;
  return r.integer("length");
}

std::vector<Spec> infer_istft(const Request& r) {
  const Frames t = inverse_frames(r);
  if (static_cast<double>(t.frames) * static_cast<double>(t.hop) > 0x1p62)
    r.fail(Reason::memory, "more than 2^62 samples");
  if (!r.none("length") && r.integer("length") < 0)
    r.fail(Reason::attribute, "length is " + std::to_string(r.integer("length")));
  return r.outputs({{'N', length_of(r, t)}});
}

// w_i for i < n: the window, or ones, with zeros around it.
std::vector<double> window_of(const Call& c, const Frames& t) {
  std::vector<double> w(static_cast<std::size_t>(t.n), 0.0);
  const Reals given = c.has("window") ? reals(widen_as(c[1], Dtype::f32)) : Reals({t.window}, 1);
  for (std::int64_t i = 0; i < t.window; ++i) w[static_cast<std::size_t>(t.front + i)] = given[i];
  return w;
}

// Where the signal of n samples is found at p, beyond its ends too; -1: it is 0.
//   edge the nearest end; reflect: mirrored at its ends, which stand once; symmetric: they stand twice
std::int64_t found(const std::string& mode, std::int64_t p, std::int64_t n) {
  if (mode == "constant") return p < 0 || p >= n ? -1 : p;
  if (mode == "edge") return std::clamp<std::int64_t>(p, 0, n - 1);
  if (n == 1) return 0;
  const std::int64_t step = mode == "reflect" ? 0 : 1;
  while (p < 0 || p >= n) p = p < 0 ? -p - step : 2 * (n - 1) - p + step;
  return p;
}

// w_i x_(f hop + i - pad) as [signals, n, frames]; what is beyond f32 there is not finite.
Complexes framed(const Call& c, const Frames& t) {
  const Complexes x = complexes(widen_as(c[0], Dtype::c64));
  const std::vector<double> w = window_of(c, t);
  const std::int64_t samples = x.shape.back(),
                     signals = samples == 0 ? count(output_specs(c)[0].shape) / t.bins / t.frames : x.size() / samples;
  Complexes y({signals, t.n, t.frames});
  for (std::int64_t s = 0; s < signals; ++s)
    for (std::int64_t i = 0; i < t.n; ++i)
      for (std::int64_t f = 0; f < t.frames; ++f) {
        const std::int64_t p = found(c.text("pad_mode"), f * t.hop + i - t.pad, samples);
        if (p < 0) continue;
        Complex v = w[static_cast<std::size_t>(i)] * x[s * samples + p];
        if (std::abs(v.real()) > kMax || std::abs(v.imag()) > kMax) v = std::numeric_limits<double>::infinity();
        y(s, i, f) = v;
      }
  return y;
}

// X_(k,f) = s sum_i w_i x_(f hop + i - pad) e^(-2 pi i i k / n)
std::vector<Wide> stft(const Call& c) {
  const Frames t = forward_frames(c);
  const Complexes all = along(framed(c, t), 1, t.n, Form::forward, t.scale);
  Complexes X(output_specs(c)[0].shape);
  for (std::int64_t i = 0; i < X.size(); ++i) {
    const std::int64_t f = i % t.frames, k = i / t.frames % t.bins, s = i / t.frames / t.bins;
    X[i] = all(s, k, f);
  }
  return {X};
}

// Each frame by the norm of its error, relative to s sqrt n of that of its samples (Parseval): bins that are left out
// have their part in both. Products with the window may underflow as those of a pass may.
Deviation judge_frames(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  const Frames t = forward_frames(c);
  const auto n = static_cast<double>(t.n);
  const Complexes x = framed(c, t), want = complexes(stft(c)[0]), given = complexes(widen(got.at(0)));
  std::vector<double> allowed(static_cast<std::size_t>(x.shape[0] * t.frames), 0.0);
  for (std::int64_t i = 0; i < x.size(); ++i)
    allowed[static_cast<std::size_t>(i / t.frames / t.n * t.frames + i % t.frames)] += std::norm(x[i]);
  const double relative = relative_of(order) + std::pow(n, 1.5) * 0x1p-53;
  for (double& v : allowed) v = relative * t.scale * std::sqrt(n * v) + 2 * n * info(Dtype::f32).min_subnormal;
  std::vector<std::size_t> frame(static_cast<std::size_t>(want.size()));
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const auto frames = static_cast<std::size_t>(t.frames), bins = static_cast<std::size_t>(t.bins);
    frame[i] = i / frames / bins * frames + i % frames;
  }
  return judge_norms(want, given, frame, allowed);
}

// The samples of each frame, [signals, n, frames]; of one that is not finite none.
Reals samples_of(const Call& c, const Frames& t) {
  Complexes X = complexes(widen_as(c[0], Dtype::c64));
  const std::int64_t all = t.frames * t.bins, signals = all == 0 ? count(output_specs(c)[0].shape) : X.size() / all;
  X.shape = {all == 0 && length_of(c, t) > 0 ? signals / length_of(c, t) : signals, t.bins, t.frames};
  const Complexes x = along(X, 1, t.n, t.half ? Form::real_inverse : Form::inverse, t.scale);
  Reals y(x.shape);
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = x[i].real();
  for (std::int64_t s = 0; s < x.shape[0]; ++s)
    for (std::int64_t f = 0; f < t.frames; ++f) {
      bool finite = true;
      for (std::int64_t k = 0; k < t.bins; ++k)
        finite = finite && std::isfinite(X(s, k, f).real()) && std::isfinite(X(s, k, f).imag());
      for (std::int64_t i = 0; i < t.n && !finite; ++i) y(s, i, f) = std::numeric_limits<double>::quiet_NaN();
    }
  return y;
}

// f(sample of the output, i, frame) wherever a frame holds one.
template <class F>
void for_overlaps(const Frames& t, std::int64_t length, F&& f) {
  for (std::int64_t frame = 0; frame < t.frames; ++frame)
    for (std::int64_t i = 0; i < t.n; ++i) {
      const std::int64_t at = frame * t.hop + i - t.pad;
      if (at >= 0 && at < length) f(at, i, frame);
    }
}

// x_p = sum_f w_i y_(i,f) / sum_f w_i^2, i = p + pad - f hop, y the inverse transforms; 0 where the squares are
std::vector<Wide> istft(const Call& c) {
  const Frames t = inverse_frames(c);
  const std::vector<double> w = window_of(c, t);
  const Reals y = samples_of(c, t);
  const std::int64_t length = length_of(c, t);
  Reals x(output_specs(c)[0].shape);
  for (std::int64_t s = 0; s < y.shape[0] && length > 0; ++s) {
    std::vector<double> squares(static_cast<std::size_t>(length), 0.0);
    for_overlaps(t, length, [&](std::int64_t p, std::int64_t i, std::int64_t f) {
      const double v = w[static_cast<std::size_t>(i)];
      x[s * length + p] += v * y(s, i, f);
      squares[static_cast<std::size_t>(p)] += v * v;
    });
    for (std::int64_t p = 0; p < length; ++p) {
      const double all = squares[static_cast<std::size_t>(p)];
      x[s * length + p] = all == 0 ? 0 : x[s * length + p] / all;
    }
  }
  return {x};
}

// s sqrt n of the norm of each frame's spectrum, [signals, frames], given bins counting twice where their images do:
// what its samples err relative to, and what none of them is beyond.
Reals norms_of(const Call& c, const Frames& t, std::int64_t signals) {
  Complexes X = complexes(widen_as(c[0], Dtype::c64));
  X.shape = {signals, t.bins, t.frames};
  Reals norms({signals, t.frames});
  const std::int64_t used = std::min(t.bins, t.half ? t.n / 2 + 1 : t.n);
  for (std::int64_t s = 0; s < signals; ++s)
    for (std::int64_t f = 0; f < t.frames; ++f) {
      double sum = 0;
      for (std::int64_t k = 0; k < used; ++k) sum += (t.half && 2 * k % t.n != 0 ? 2 : 1) * std::norm(X(s, k, f));
      norms(s, f) = t.scale * std::sqrt(static_cast<double>(t.n) * sum);
    }
  return norms;
}

// A sample of a frame errs by what the norm of the frame's error allows, and is no larger than that of the frame. Up to
// m = ceil(n / hop) frames meet: factors relative to the largest, their squares, products, both sums, and two quotients
// are 2 m + 6 roundings.
std::vector<Allowances> istft_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Frames t = inverse_frames(c);
  const std::int64_t length = length_of(c, t);
  const std::vector<double> w = window_of(c, t);
  const Reals& x = reals(want[0]);
  Allowances bound(x.shape);
  if (length == 0) return {bound};
  const std::int64_t signals = x.size() / length;
  const Reals norms = norms_of(c, t, signals);
  const DtypeInfo& out = info(Dtype::f32);
  const double n = static_cast<double>(t.n), m = std::ceil(n / static_cast<double>(t.hop)), eta = out.min_subnormal;
  const double relative = relative_of(order) + std::pow(n, 1.5) * 0x1p-53;
  const double each =
      relative + (gamma(2 * m + 6, order.accumulator_roundoff()) + gamma(2 * m, 0x1p-53)) * (1 + relative);
  for (std::int64_t s = 0; s < signals; ++s) {
    std::vector<double> sizes(static_cast<std::size_t>(length), 0.0), factors = sizes, squares = sizes;
    for_overlaps(t, length, [&](std::int64_t p, std::int64_t i, std::int64_t f) {
      const double v = std::abs(w[static_cast<std::size_t>(i)]);
      const auto at = static_cast<std::size_t>(p);
      sizes[at] += v * norms(s, f), factors[at] += v, squares[at] += v * v;
    });
    for (std::int64_t p = 0; p < length; ++p) {
      const auto at = static_cast<std::size_t>(p);
      if (squares[at] == 0) continue;
      const double size = sizes[at] / squares[at], error = each * size + (n + m) * eta * factors[at] / squares[at];
      bound[s * length + p].error = error + out.unit_roundoff() * (std::abs(x[s * length + p]) + error) + eta;
      bound[s * length + p].overflow = size >= kMax / 4 || sizes[at] >= kMax / 4;
    }
  }
  return {bound};
}

Cost stft_cost(const Call& c) {
  const Frames t = forward_frames(c);
  const auto X = static_cast<double>(count(output_specs(c)[0].shape)), n = static_cast<double>(t.n);
  const double frames = X / static_cast<double>(t.bins);
  return {(is_complex(c.dtype(0)) ? 5.0 : 2.5) * frames * n * std::max(1.0, std::log2(n)),
          8 * X + static_cast<double>(c[0].size() * info(c.dtype(0)).bytes)};
}

Cost istft_cost(const Call& c) {
  const Frames t = inverse_frames(c);
  const double n = static_cast<double>(t.n), frames = static_cast<double>(c[0].size()) / std::max(1.0, double(t.bins));
  return {2.5 * frames * n * std::max(1.0, std::log2(n)),
          8 * static_cast<double>(c[0].size()) + 4 * static_cast<double>(count(output_specs(c)[0].shape))};
}

// ---- cases ----

constexpr const char* kForward = R"(
  call   {t}.{s}.{l}.{x}+{wt}.{w}.{l}.{wx}/n_fft={n},hop_length={h},win_length={wl},center={c},pad_mode={p},)"
                                 R"(norm={norm},onesided={one}
  from   t=f32 s=33 l=row x=uniform wt=f32 w=8 wx=uniform n=8 h=2 wl= c=true p=reflect norm=backward one=
  smoke  p={constant,edge,reflect,symmetric} c={true,false}
  smoke  w=5 wl={,5} h={1,3,8,11}
  smoke  t=c64 one={,true,false} norm={ortho,forward}
  smoke  one=false s=2x3x17
  smoke  s={1,2,3} p={edge,reflect,symmetric} n=9 w=9     # ends that are met again and again
  smoke  s=0x33
  smoke  s=3x40 n=16 w=16 h=4 x={apart,nan_rows,const-1e38}
  ci     s=40 n=16 w=16 h=4 x={huge,tiny,subnormal,wide,lanes}
  ci     n,h,w={1 1 1, 2 1 2, 7 3 6, 64 16 64, 101 25 90, 128 32 128, 512 100 400} s=2x700
  ci     s=3x{130,259} h=1 n={4,13} w=4              # around a block of frames
  ci     l={@layouts} s=3x20
  smoke  t={@all} x=int-9 s=20
  smoke  wt={bool,u8,i32,f16,bf16,f64} wx=int-3 s=20
)";
constexpr const char* kForwardAlone = R"(
  call   {t}.{s}.row.uniform/n_fft={n},hop_length={h},win_length={wl},center={c},pad_mode={p}
  from   t=f32 s=33 n=16 h= wl= c=true p=reflect
  smoke  wl={,5,0,16}
  smoke  n={4,5,30} c=false
  smoke  s=0 n=8 p=constant
  ci     s=2x2100 n=2048
)";
constexpr const char* kForwardRejects = R"(
  call   {t}.{s}.row.uniform/n_fft={n},hop_length={h},win_length={wl},center={c},pad_mode={p},norm={norm}
  from   t=f32 s=33 n=8 h= wl= c=true p=reflect norm=backward
  attribute n=0             # no samples in a frame
  attribute n=-8            # fewer than none
  attribute n=3             # a quarter of three is no hop
  attribute h=0             # frames that stand still
  attribute h=-2            # frames that go back
  attribute wl=9            # a window longer than a frame
  attribute wl=-1           # a negative window
  attribute p=wrap          # no such way to continue
  attribute norm=unitary    # no such norm
  shape  n=64 c=false       # the signal is shorter than a frame
  shape  s=0                # nothing to reflect
  rank   s=s                # a scalar is no signal
  memory n=4611686018427387904 h=1   # frames beyond all room
  call   f32.33.row.uniform+f32.{w}.row.uniform/n_fft=8,win_length={wl}
  from   w=8 wl=
  attribute w=9             # a window longer than a frame
  attribute w=6 wl=5        # a window of another length than is said
)";

constexpr const char* kInverse = R"(
  call   {t}.{s}.{l}.{x}+{wt}.{w}.{l}.{wx}/n_fft={n},hop_length={h},win_length={wl},center={c},norm={norm},)"
                                 R"(onesided={one},length={m}
  from   t=c64 s=5x9 l=row x=uniform wt=f32 w=8 wx=uniform n=8 h=2 wl= c=true norm=backward one= m=
  smoke  c={true,false} m={,0,1,12,60}
  smoke  w=5 wl={,5} h={1,3,8,11}
  smoke  one={true,false} norm={ortho,forward}
  smoke  n= h=
  smoke  n={5,7,10,12} w=4          # bins that are cut, and bins that are missing
  smoke  s={2x3x5x7,0x5x7,5x1}
  smoke  wx={const-0,const-1e-30,const-1e30,special}
  smoke  s=3x5x7 x={nan_rows,apart,int-3}
  ci     s=5x7 x={huge,tiny,subnormal,wide,lanes}
  ci     s,n,h,w={1x9 1 1 1, 2x9 2 1 2, 2x4x9 7 3 6, 33x20 64 16 64, 51x20 101 25 90, 65x20 128 32 128,
         257x9 512 100 400}
  ci     s=5x{130,2051} h={1,5}     # around what is added up at once
  ci     l={@layouts} s=2x5x6
  smoke  t={@all} x=int-9
  smoke  wt={bool,u8,i32,f16,bf16,f64} wx=int-3
)";
constexpr const char* kInverseAlone = R"(
  call   {t}.{s}.row.uniform/hop_length={h},win_length={wl},n_fft={n},onesided={one}
  from   t=c64 s=9x6 h= wl= n= one=
  smoke  wl={,0,7} h={,3}
  smoke  n=17
  smoke  one=false
  smoke  s=0x4 n=8
  ci     s=1025x5
)";
constexpr const char* kInverseRejects = R"(
  call   c64.{s}.row.uniform/n_fft={n},hop_length={h},win_length={wl},norm={norm},length={m}
  from   s=5x6 n= h= wl= norm=backward m=
  attribute n=0             # no samples in a frame
  attribute h=0             # frames that stand still
  attribute wl=9            # a window longer than a frame
  attribute norm=unitary    # no such norm
  attribute m=-1            # a negative length
  shape  s=1x6              # one bin stands for no samples
  shape  s=5x0              # no frames
  rank   s=5                # one axis alone
  memory n=4611686018427387904   # frames beyond all room
  call   c64.5x6.row.uniform+f32.{w}.row.uniform/n_fft=8,win_length={wl}
  from   w=8 wl=
  attribute w=9             # a window longer than a frame
  attribute w=6 wl=5        # a window of another length than is said
)";

// The first signal of several.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  if (c[0].size() < 1 << 16 || c[0].dim(0) < 4) return std::nullopt;
  std::vector<Tensor> in{spaced(c[0], 0, 1, key)};
  if (c.has("window")) in.push_back(c[1]);
  return Spot{make_call(*c.op, in, c.attrs),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 0, 1, key)}; }};
}

Op row(std::string_view name) {
  Op op;
  op.name = name;
  op.attrs = {{"n_fft", kNone}, {"hop_length", kNone}, {"win_length", kNone},
              {"center", true}, {"norm", "backward"},  {"onesided", kNone}};
  op.types = "T: all; U: bool integers floats";
  op.spot = spot;
  return op;
}

}  // namespace

std::vector<Op> stft_ops() {
  Op forward = row("stft"), back = row("istft");
  forward.signature = "x T[*B,N], window? U[W] -> out c64[*B,K,F]";
  forward.attrs.set("n_fft", 2048);
  forward.attrs.set("pad_mode", "reflect");
  forward.equation =
      "X_(k,f) = s sum_(i<n) w_i x_(f hop + i - pad) e^(-2 pi i i k / n), pad = floor(n / 2) if center, else 0";
  forward.meaning =
      "a window shorter than n stands (n - win) / 2 from the front; single precision; onesided none: of real x, "
      "else the first bins (upstream drops imaginary parts of x there); a "
      "window that is not of win_length is refused (upstream ignores win_length)";
  forward.infer = infer_stft;
  forward.oracle = stft;
  forward.cases = {kForward, kForwardAlone};
  forward.rejects = kForwardRejects;
  forward.bench = "ci f32.{16x65536,4x1048576}.row.uniform+f32.1024.row.uniform/n_fft=1024,hop_length=256";
  forward.cost = stft_cost;
  forward.tolerance.kind = Tolerance::Class::residual;
  forward.tolerance.residual = judge_frames;
  back.signature = "stft_matrix T[*B,K,F], window? U[W] -> out f32[*B,N]";
  back.attrs.set("length", kNone);
  back.equation = "x_p = sum_f w_i y_(i,f) / sum_f w_i^2, i = p + pad - f hop, y the inverse transforms of n terms";
  back.meaning =
      "0 where all factors are 0; n_fft none: even, or all bins if not onesided; of a frame that is not finite no "
      "sample is; real parts alone; length cuts, or goes on into what was padded, then zeros";
  back.infer = infer_istft;
  back.oracle = istft;
  back.cases = {kInverse, kInverseAlone};
  back.rejects = kInverseRejects;
  back.bench = "ci c64.{16x513x257,4x513x4097}.row.uniform+f32.1024.row.positive/n_fft=1024,hop_length=256";
  back.cost = istft_cost;
  back.tolerance.kind = Tolerance::Class::inherited;
  back.tolerance.bound = istft_bound;
  return {forward, back};
}

}  // namespace plumb
