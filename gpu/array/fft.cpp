// Transforms on the device: see kernels/fft.cl. Host code plans, lays out tables and enqueues.
#include <algorithm>
#include <bit>

#include "gpu/array/fft_lines.h"
#include "gpu/runtime.h"
#include "plans/array/fft.h"

namespace plumb {
namespace {

using fft::Problem;
using gpu::BufferPtr;

constexpr std::int64_t kLongest = 4096;                              // in local memory, by a kernel of its own length
constexpr Limit kLongestColumn{"gpu.fft.longest_column", 512, 12};   // of several side by side
constexpr Limit kLongestLine{"gpu.fft.longest_line", kLongest, 64};  // of a convolution that is not taken in steps
constexpr Limit kLongestAny{"gpu.fft.longest_any", 2048, 64};        // in local memory, by the kernel for every length
constexpr Limit kWorthBuild{"gpu.fft.worth_build", 1 << 15, 512};    // elements for which a length gets its own kernel
constexpr std::int64_t kWorthLaunch = 1 << 15;  // elements from which the device is the better choice
constexpr std::int64_t kLocalBytes = 36 << 10;
constexpr int kFineBits = 12;
// That look for the range of a line together: more would wait for each other at the word in which they meet.
constexpr std::int64_t kRangeItems = 256, kMostRangeItems = 8192;
constexpr double kTwiddleError = 0x1p-24;

enum Mode { kFind, kReport, kReported, kFinal, kThird };  // the range of lines: see the kernels

using gpu::Steps;

// Where lines lie: element i of line l of a batch at batch * id + (l / inner) * outer + (l % inner) * lane +
// i * step, inner = 0 standing for all lines; what follows outer must be below limit.
struct Side {
  std::int64_t batch, inner, outer, lane, step, limit;
  bool columns;      // neighbours in memory belong to different lines
  bool cut = false;  // some elements are at the limit or beyond
};

// One launch over all lines: everything that the kernels are told.
struct Pass {
  std::int64_t n = 0, lines = 0, batches = 1;
  BufferPtr from, to;
  BufferPtr flags, codes;  // of batches, and of the columns of each
  std::int64_t columns = 0;
  Side in, out;
  bool swap_in = false, swap_out = false;
  int mode = kFind;
  BufferPtr turn;
  std::shared_ptr<const fft::Chirp> chirp;  // n is then the length of the convolution
  double scale = 1;
};

BufferPtr table(const std::vector<fft::Complex64>& values) {
  std::vector<float> v;
  v.reserve(2 * values.size());
  for (const auto& w : values) {
    v.push_back(static_cast<float>(w.real()));
    v.push_back(static_cast<float>(w.imag()));
  }
  return gpu::constants(v);
}

// Radices of the device's passes: up to 16, fewest passes first.
std::vector<int> radices(std::int64_t n) {
  int twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  std::vector<int> out;
  while (twos > 0) {
    const int take = twos % 3 == 0 && twos < 12 ? 3 : twos == 5 ? 3 : std::min(twos, 4);
    out.push_back(1 << take);
    twos -= take;
  }
  for (int r : fft::radices(n)) out.push_back(r);
  return out;
}

struct Round {
  int radix;
  std::int64_t m, s, place;  // of its roots
};

// The passes of a length and their roots: for each (k, p) the root p k of R m, then the R roots of one.
std::vector<Round> rounds(std::int64_t n, std::vector<fft::Complex64>& w) {
  std::vector<Round> out;
  std::int64_t s = 1;
  for (int r : radices(n)) {
    const std::int64_t m = n / s / r;
    out.push_back({r, m, s, static_cast<std::int64_t>(w.size())});
    for (int k = 1; k < r; ++k)
      for (std::int64_t p = 0; p < m; ++p) w.push_back(fft::root(p * k, r * m));
    for (int k = 0; k < r; ++k) w.push_back(fft::root(k, r));
    s *= r;
  }
  if (w.empty()) w.push_back(1);
  return out;
}

// Root e of n is fine[e mod 4096] * coarse[e / 4096].
BufferPtr turn_table(std::int64_t n) {
  constexpr std::int64_t kFine = 1 << kFineBits;
  std::vector<fft::Complex64> w;
  for (std::int64_t j = 0; j < kFine; ++j) w.push_back(fft::root(j, n));
  for (std::int64_t j = 0; j < n; j += kFine) w.push_back(fft::root(j, n));
  return table(w);
}

std::size_t groups(std::int64_t lines, std::int64_t each) {
  return static_cast<std::size_t>((lines + each - 1) / each);
}

void add_side(gpu::Kernel& kernel, const Side& s) {
  kernel.arg(static_cast<std::uint64_t>(s.batch));
  for (std::int64_t v : {s.inner, s.outer, s.lane, s.step, s.limit}) kernel.arg(static_cast<std::uint32_t>(v));
}

void add_shared_arguments(gpu::Kernel& kernel, const Pass& t, const std::vector<fft::Complex64>& w) {
  const BufferPtr none = gpu::scratch(8);
  kernel.arg(t.from).arg(t.to).arg(t.flags ? t.flags : none).arg(t.codes ? t.codes : none);
  kernel.arg(static_cast<std::uint32_t>(t.columns)).arg(table(w)).arg(t.turn ? t.turn : none);
  kernel.arg(t.chirp ? table(t.chirp->factor) : none).arg(t.chirp ? table(t.chirp->spectrum) : none);
  kernel.arg(static_cast<float>(t.scale)).arg(static_cast<std::uint32_t>(t.lines));
  add_side(kernel, t.in);
  add_side(kernel, t.out);
}

void add_run(Steps& steps, gpu::Kernel kernel, const Pass& t, std::int64_t lines, std::int64_t group) {
  const auto size = static_cast<std::size_t>(group), batches = static_cast<std::size_t>(t.batches);
  steps.push_back([kernel = std::move(kernel), size, batches, count = groups(t.lines, lines)] {
    kernel.run({count * size, batches}, {size, 1});
  });
}

std::string pass_list(const std::vector<Round>& list, bool loads, bool stores, bool middle) {
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool last = i + 1 == list.size();
    text += "P(" + std::to_string(loads && i == 0) + "," + std::to_string(stores && last) + "," +
            std::to_string(middle && last);
    for (std::int64_t v : {std::int64_t{list[i].radix}, list[i].m, list[i].s, list[i].place})
      text += "," + std::to_string(v);
    text += ")";
  }
  return text;
}

// A kernel built for the length: about sixteen elements per work-item.
void add_own(Steps& steps, const Pass& t) {
  const bool columns = t.in.columns || t.out.columns;
  const std::int64_t wish = columns ? std::min<std::int64_t>(kLongest / t.n, 16) : 1024 / t.n;
  const std::int64_t lines = std::int64_t(std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(1, wish))));
  const auto items = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>((lines * t.n + 15) / 16)));
  const std::int64_t group = std::clamp<std::int64_t>(items, 32, 256);
  std::vector<fft::Complex64> w;
  const std::vector<Round> list = rounds(t.n, w);
  const bool convolves = t.chirp != nullptr;
  const std::string passes = convolves ? pass_list(list, true, false, true) + pass_list(list, false, true, false)
                                       : pass_list(list, true, true, false);
  gpu::Kernel kernel("fft", "fft_length",
                     {{"N", t.n},
                      {"LINES", lines},
                      {"GROUP", group},
                      {"LOAD_COLUMNS", int{t.in.columns}},
                      {"STORE_COLUMNS", int{t.out.columns}},
                      {"MODE", int{t.mode}},
                      {"SWAP_IN", int{t.swap_in}},
                      {"SWAP_OUT", int{t.swap_out}},
                      {"CUT_IN", int{convolves || t.in.cut}},
                      {"CUT_OUT", int{t.out.cut}},
                      {"NEXT_IN", int{t.in.step == 1}},
                      {"NEXT_OUT", int{t.out.step == 1}},
                      {"TURNED", int{t.turn != nullptr}},
                      {"CHIRPED", int{convolves}},
                      {"PASSES", passes}});
  add_shared_arguments(kernel, t, w);
  kernel.arg(static_cast<std::uint32_t>(convolves ? t.chirp->n : 0));
  add_run(steps, std::move(kernel), t, lines, group);
}

// The kernel that serves every length.
void add_any(Steps& steps, const Pass& t) {
  const bool columns = t.in.columns || t.out.columns;
  const std::int64_t lines = std::clamp<std::int64_t>((columns ? kLongestAny.now() : 512) / t.n, 1, 16);
  std::vector<fft::Complex64> w;
  const std::vector<Round> list = rounds(t.n, w);
  std::vector<std::int32_t> passes{static_cast<std::int32_t>(list.size())};
  for (const Round& p : list)
    for (std::int64_t v : {std::int64_t{p.radix}, p.m, p.s, p.place}) passes.push_back(static_cast<std::int32_t>(v));
  gpu::Kernel kernel("fft", "fft_any");
  add_shared_arguments(kernel, t, w);
  kernel.arg(std::int32_t{t.swap_in}).arg(std::int32_t{t.swap_out}).arg(std::int32_t{t.mode});
  kernel.arg(std::int32_t{t.turn != nullptr});
  kernel.arg(static_cast<std::int32_t>(t.chirp ? t.chirp->n : 0)).arg(gpu::constants(passes));
  kernel.arg(static_cast<std::int32_t>(t.n)).arg(static_cast<std::int32_t>(lines));
  kernel.arg(std::int32_t{t.in.columns}).arg(std::int32_t{t.out.columns});
  const auto elements = static_cast<std::size_t>(t.n * lines);
  kernel.local(8 * elements).local(8 * elements).local(4 * static_cast<std::size_t>(lines));
  add_run(steps, std::move(kernel), t, lines, elements > 512 ? 256 : 64);
}

void add(Steps& steps, const Pass& t) {
  const std::int64_t all = t.n * t.lines * t.batches;
  const bool own = t.n > kLongestAny.of(t.n) || (t.n >= 2 && all >= kWorthBuild.of(all));
  own ? add_own(steps, t) : add_any(steps, t);
}

void add_each(Steps& steps, gpu::Kernel kernel, std::int64_t items) {
  steps.push_back([kernel = std::move(kernel), n = static_cast<std::size_t>(items)] { kernel.run({n}); });
}

void add_zero(Steps& steps, const BufferPtr& flags) {
  steps.push_back([flags] { gpu::fill_zero(flags); });
}

// The lengths of a long transform's steps: two, three beyond what two hold with several columns side by
// side; empty if the length has no such factors.
std::vector<std::int64_t> steps_of(std::int64_t n) {
  const auto [a, b] = fft::halves(n);
  if (b > 1 && a <= kLongestColumn.of(a)) return {a, b};
  std::int64_t d = 1;
  for (std::int64_t i = 2; i * i * i <= n; ++i)
    if (n % i == 0) d = i;
  const auto [c, e] = fft::halves(n / d);
  if (d > 1 && e > 1 && c <= kLongestColumn.now()) return {c, e, d};
  if (b > 1 && a <= kLongest) return {a, b};
  return {};
}

// Dense lines of `size` elements, `used` of them read, through two or three steps.
struct Dense {
  std::int64_t n, lines, size, used, out;
  BufferPtr from, to, flags;
  bool swap_in, swap_out;
  bool find;  // the range of lines; otherwise they are known to be in it
  double scale;
};

BufferPtr flags(std::int64_t n) { return gpu::scratch(static_cast<std::size_t>(std::max<std::int64_t>(1, 4 * n))); }
BufferPtr complexes(std::int64_t n) { return gpu::scratch(static_cast<std::size_t>(std::max<std::int64_t>(1, 8 * n))); }

Pass step_of(const Dense& d, std::int64_t n, std::int64_t columns, const BufferPtr& codes, std::int64_t lines,
             BufferPtr from, BufferPtr to) {
  Pass t;
  t.n = n;
  t.lines = lines;
  t.batches = d.lines;
  t.from = std::move(from);
  t.to = std::move(to);
  t.flags = d.flags;
  t.codes = codes;
  t.columns = d.find ? columns : 0;
  t.mode = kReported;
  return t;
}

// n = n1 n2, j = j1 n2 + j2, k = k1 + n1 k2: columns j2 of length n1, times root j2 k1 of n, rows k1 of length
// n2. With three, the rows are taken apart once more, and the middle step leaves them in the order k2 k1 j3.
void add_split(Steps& steps, const Dense& d, const BufferPtr& scratch) {
  const std::vector<std::int64_t> f = steps_of(d.n);
  const std::int64_t n = d.n, n1 = f[0], rest = n / n1;
  const BufferPtr turned = f.size() == 3 ? complexes(n * d.lines) : scratch;
  const BufferPtr codes = d.find ? flags(rest * d.lines) : nullptr;
  Pass first = step_of(d, n1, rest, codes, rest, d.from, scratch);
  first.in = {d.size, 0, 0, 1, rest, d.used, true, d.used < n};
  first.out = {n, 0, 0, 1, rest, n, true};
  first.swap_in = d.swap_in;
  if (d.find) first.mode = kReport;
  first.turn = turn_table(n);
  add(steps, first);
  if (f.size() == 3) {
    Pass middle = step_of(d, f[1], rest, codes, n1 * f[2], scratch, turned);
    middle.in = {n, f[2], rest, 1, f[2], rest, true};
    middle.out = {n, f[2], f[2], 1, n1 * f[2], n, true};
    middle.turn = turn_table(rest);
    add(steps, middle);
  }
  Pass last = step_of(d, f.back(), rest, codes, n / f.back(), turned, d.to);
  last.in = {n, 1, f.back(), 0, 1, f.back(), false};
  last.out = {d.out, 0, 0, 1, n / f.back(), d.out, true, d.out < n};
  last.swap_out = d.swap_out;
  last.mode = f.size() == 3 ? kThird : kFinal;
  last.scale = d.scale;
  add(steps, last);
}

// ---- what the four ops have in common ----

struct Plan {
  Problem p;
  Steps steps;
  BufferPtr from,
      to;  // dense complex numbers, [outer, size, inner] and [outer, out, inner]; real ones of a real inverse
};

// Without imaginary parts, if they are complex already.
BufferPtr as_complex(Steps& steps, Dtype from, const BufferPtr& x, std::int64_t total) {
  BufferPtr y = complexes(total);
  const bool real = from == Dtype::c64;
  gpu::Kernel kernel = real ? gpu::Kernel("fft", "without_imaginary") : gpu::Kernel("copy", "to_complex");
  if (real) kernel.arg(x).arg(y).arg(total);
  else kernel.arg(x).arg(from).arg(y).arg(Dtype::c64).arg(total);
  add_each(steps, std::move(kernel), total);
  return y;
}

// Of a half spectrum, all n bins.
BufferPtr whole_spectrum(Steps& steps, Problem& p, const BufferPtr& x) {
  const std::int64_t bins = p.lines * p.n;
  BufferPtr y = complexes(bins);
  gpu::Kernel kernel("fft", "whole_spectrum");
  kernel.arg(x).arg(y).arg(bins).arg(p.n).arg(p.size).arg(p.inner);
  add_each(steps, std::move(kernel), bins);
  p.size = p.used = p.n;
  return y;
}

template <void (*Add)(Plan&)>
void add_whole(Plan& plan) {
  if (!plan.p.real_out) return Add(plan);
  const BufferPtr out = plan.to;
  const std::int64_t total = plan.p.lines * plan.p.n;
  plan.from = whole_spectrum(plan.steps, plan.p, plan.from);
  plan.to = complexes(total);
  Add(plan);
  gpu::Kernel kernel("fft", "real_part");
  kernel.arg(plan.to).arg(out).arg(total);
  add_each(plan.steps, std::move(kernel), total);
}

template <void (*Add)(Plan&)>
Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(out, [] {});
  Plan plan{fft::problem(c), {}, nullptr, gpu::output(out[0])};
  plan.from = gpu::add_complex(plan.steps, c[0], plan.p.real_in);
  add_whole<Add>(plan);
  return gpu::job(out, [steps = std::move(plan.steps)] {
    for (const auto& step : steps) step();
  });
}

Pass whole_lines(const Plan& plan) {
  const Problem& p = plan.p;
  Pass t;
  t.n = p.n;
  t.lines = p.lines;
  t.from = plan.from;
  t.to = plan.to;
  t.in = {0, p.inner, p.size * p.inner, 1, p.inner, p.used * p.inner, p.inner > 1, p.used < p.n};
  t.out = {0, p.inner, p.out * p.inner, 1, p.inner, p.out * p.inner, p.inner > 1, p.out < p.n};
  t.swap_in = t.swap_out = p.inverse;
  t.scale = p.scale;
  return t;
}

void add_stockham(Plan& plan) { add(plan.steps, whole_lines(plan)); }

// Brings lines that are strided, cut or padded into dense lines of n around what `inside` adds.
template <class F>
void with_dense_lines(Plan& plan, F&& inside) {
  const Problem& p = plan.p;
  if (p.inner == 1) return inside(plan.from, p.size, plan.to);
  const std::int64_t total = p.lines * p.n, made = p.lines * p.out;
  const BufferPtr x = complexes(total), y = complexes(made);
  gpu::Kernel gather("fft", "gather_lines");
  gather.arg(plan.from).arg(x).arg(total).arg(p.n).arg(p.size).arg(p.inner);
  add_each(plan.steps, std::move(gather), total);
  inside(x, p.n, y);
  gpu::Kernel scatter("fft", "scatter_lines");
  scatter.arg(y).arg(plan.to).arg(made).arg(p.out).arg(p.out).arg(p.inner);
  add_each(plan.steps, std::move(scatter), made);
}

void add_four_step(Plan& plan) {
  const Problem& p = plan.p;
  const BufferPtr scratch = complexes(p.lines * p.n), bad = flags(p.lines);
  add_zero(plan.steps, bad);
  with_dense_lines(plan, [&](const BufferPtr& from, std::int64_t size, const BufferPtr& to) {
    const std::int64_t used = std::min(size, p.inner == 1 ? p.used : p.n);
    add_split(plan.steps, {p.n, p.lines, size, used, p.out, from, to, bad, p.inverse, p.inverse, true, p.scale},
              scratch);
  });
}

void add_long_bluestein(Plan& plan, const fft::Chirp& chirp, const BufferPtr& from, std::int64_t size,
                        const BufferPtr& to) {
  const Problem& p = plan.p;
  const std::int64_t m = chirp.m, total = p.lines * m, made = p.lines * p.out;
  const BufferPtr x = complexes(total), y = complexes(total), z = complexes(total), most = flags(p.lines);
  const BufferPtr factor = table(chirp.factor), none = flags(p.lines);
  const auto swap = std::int32_t{p.inverse};
  add_zero(plan.steps, most);
  add_zero(plan.steps, none);
  gpu::Kernel range("fft", "line_range");
  const std::int64_t used = std::min(size, p.n), items = std::clamp(used / 16, kRangeItems, kMostRangeItems);
  range.arg(from).arg(most).arg(p.lines).arg(used).arg(size).arg(items);
  add_each(plan.steps, std::move(range), p.lines * items);
  gpu::Kernel in("fft", "chirp_in"), middle("fft", "chirp_middle"), out("fft", "chirp_out");
  in.arg(from).arg(factor).arg(x).arg(most).arg(total).arg(used).arg(size).arg(m).arg(swap);
  add_each(plan.steps, std::move(in), total);
  add_split(plan.steps, {m, p.lines, m, m, m, x, y, none, false, false, false, 1}, z);
  middle.arg(y).arg(table(chirp.spectrum)).arg(x).arg(total).arg(m);
  add_each(plan.steps, std::move(middle), total);
  add_split(plan.steps, {m, p.lines, m, m, m, x, y, none, false, false, false, 1}, z);
  out.arg(y).arg(factor).arg(to).arg(most).arg(made).arg(p.out).arg(m).arg(swap).arg(static_cast<float>(p.scale));
  add_each(plan.steps, std::move(out), made);
}

void add_bluestein(Plan& plan) {
  const auto chirp = fft::chirp(plan.p.n, true);
  if (chirp->m > kLongestLine.of(chirp->m)) {
    with_dense_lines(plan, [&](const BufferPtr& from, std::int64_t size, const BufferPtr& to) {
      add_long_bluestein(plan, *chirp, from, size, to);
    });
    return;
  }
  Pass t = whole_lines(plan);
  t.n = chirp->m;
  t.chirp = chirp;
  add(plan.steps, t);
}

// ---- conditions ----

double scaling(const Problem& p) { return p.scale == 1 ? 0 : 1; }
Order stockham_order(const Call& c) {
  const Problem p = fft::problem(c);
  return fft::order_of(fft::levels(p.n) + scaling(p), 1, kTwiddleError);
}
// A turn multiplies by a product of two rounded factors: 4.3 u, then 2.9 u of its own, under two levels.
double split_levels(std::int64_t n) { return fft::levels(n) + 2 * (static_cast<double>(steps_of(n).size()) - 1); }
Order four_step_order(const Call& c) {
  const Problem p = fft::problem(c);
  return fft::order_of(split_levels(p.n) + scaling(p), 1, kTwiddleError);
}
double bluestein_levels(const fft::Chirp& chirp) {
  return 2 * (chirp.m > kLongestLine.now() ? split_levels(chirp.m) : fft::levels(chirp.m)) + 3;
}
Order bluestein_order(const Call& c) {
  const Problem p = fft::problem(c);
  const auto chirp = fft::chirp(p.n, true);
  return fft::order_of(bluestein_levels(*chirp) + scaling(p), chirp->amplification, kTwiddleError);
}

std::int64_t length(const Call& c) { return fft::problem(c).n; }

bool splits(std::int64_t n) { return !steps_of(n).empty(); }
bool fits_index(const Problem& p) {
  const std::int64_t longest = std::max({p.size, p.out, p.n});
  return longest * p.inner >> 31 == 0 && p.lines >> 31 == 0;
}
bool few(const Problem& p) { return p.lines < 65536; }
// Bluestein beyond local memory goes through steps, whose lines are batches.
bool short_or_few(const Problem& p) { return few(p) || fft::convolution_length(p.n, true) <= kLongest; }
bool convolves(std::int64_t n) { return n <= std::int64_t{1} << 23; }

constexpr Condition kLocalMemory{Stage::device, "under 36 KiB of local memory", gpu::has_local_memory};
constexpr Condition kDouble{Stage::storage, "f64 input, and the device has no fp64",
                            [](const Call& c, const Device& d) { return c[0].dtype() != Dtype::f64 || d.fp64; }};
constexpr Condition kSmooth{Stage::shape_dtype, "the length has a prime factor above 13",
                            [](const Call& c, const Device&) { return fft::smooth(length(c)); }};
constexpr Condition kFits{Stage::shape_dtype, "a line is longer than 4096, the most that local memory holds",
                          [](const Call& c, const Device&) { return length(c) <= kLongest; }};
constexpr Condition kSplits{Stage::shape_dtype, "the length is no product of two or three factors up to 4096",
                            [](const Call& c, const Device&) { return splits(length(c)); }};
constexpr Condition kIndex{Stage::shape_dtype, "a block of lines has 2^31 elements or more",
                           [](const Call& c, const Device&) { return fits_index(fft::problem(c)); }};
constexpr Condition kBatches{Stage::shape_dtype, "more than 65535 lines, one group each",
                             [](const Call& c, const Device&) { return few(fft::problem(c)); }};
constexpr Condition kShortOrFew{Stage::shape_dtype, "more than 65535 lines longer than 2048",
                                [](const Call& c, const Device&) { return short_or_few(fft::problem(c)); }};
constexpr Condition kConvolves{Stage::shape_dtype, "a line is longer than 2^23",
                               [](const Call& c, const Device&) { return convolves(length(c)); }};
constexpr Condition kLarge{Stage::shape_dtype, "under 32768 elements: a launch costs more",
                           [](const Call& c, const Device&) {
                             const Problem p = fft::problem(c);
                             return p.lines * p.n >= kWorthLaunch;
                           }};

Route route(std::string_view op, std::string_view name, std::vector<Condition> supports, Order (*order)(const Call&),
            Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = name;
  r.tier = r.needs = Tier::gpu;
  r.supports = std::move(supports);
  r.prefers = {gpu::kNotHost, kLarge};
  r.order = order;
  r.prepare = prepare;
  return r;
}

}  // namespace

namespace gpu {

bool has_local_memory(const Call&, const Device& d) {
  return static_cast<std::int64_t>(d.facts.local_bytes) >= kLocalBytes && d.facts.max_work_group >= 256;
}

// Any dtype as complex numbers.
BufferPtr add_complex(Steps& steps, const Tensor& t, bool real_parts) {
  const BufferPtr x = dense(t);
  return t.dtype() != Dtype::c64 || real_parts ? as_complex(steps, t.dtype(), x, t.size()) : x;
}

bool takes_lines(const Problem& p) {
  if (!fits_index(p)) return false;
  if (!fft::smooth(p.n)) return convolves(p.n) && short_or_few(p);
  return p.n <= kLongest || (splits(p.n) && few(p));
}

void add_lines(Steps& steps, const Problem& p, const BufferPtr& from, const BufferPtr& to) {
  if (p.lines == 0) return;
  Plan plan{p, {}, from, to};
  if (!fft::smooth(p.n)) add_whole<add_bluestein>(plan);
  else if (p.n <= kLongest) add_whole<add_stockham>(plan);
  else add_whole<add_four_step>(plan);
  for (auto& step : plan.steps) steps.push_back(std::move(step));
}

double growth(const Problem& p) {
  if (fft::smooth(p.n)) return p.n <= kLongest ? fft::levels(p.n) : split_levels(p.n);
  const auto chirp = fft::chirp(p.n, true);
  return chirp->amplification * bluestein_levels(*chirp);
}

}  // namespace gpu

std::vector<Route> fft_gpu_routes() {
  std::vector<Route> routes;
  for (std::string_view op : {"fft", "ifft", "rfft", "irfft"}) {
    routes.push_back(route(op, "gpu.stockham", {kLocalMemory, kDouble, kSmooth, kFits, kIndex}, stockham_order,
                           prepare<add_stockham>));
    routes.push_back(route(op, "gpu.four_step", {kLocalMemory, kDouble, kSmooth, kSplits, kIndex, kBatches},
                           four_step_order, prepare<add_four_step>));
    routes.push_back(route(op, "gpu.bluestein", {kLocalMemory, kDouble, kConvolves, kIndex, kShortOrFew},
                           bluestein_order, prepare<add_bluestein>));
  }
  return routes;
}

}  // namespace plumb
