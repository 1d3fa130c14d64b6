// Global pooling: one row per batch of a sparse tensor, and its gradients.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace reference;
using List = std::vector<std::int64_t>;

enum : std::size_t { kCoords, kActive, kFeatures, kCotangent };
enum class Mode { sum, avg, max };

bool counted(const Request& r) { return !r.none("batch_counts"); }

std::int64_t batches(const Request& r, Mode mode, std::int64_t rows) {
  std::int64_t total = 0, B = -1;
  if (counted(r)) {
    const List n = r.list("batch_counts");
    for (const std::int64_t c : n) {
      if (c < 0 || c > rows)
        r.fail(Reason::attribute, "a batch of " + std::to_string(c) + " rows of " + std::to_string(rows));
      total += c;
    }
    if (total != rows)
      r.fail(Reason::shape, "batches of " + std::to_string(total) + " rows in all, of " + std::to_string(rows));
    B = std::ssize(n);
  }
  if (r.none("batch_size")) {
    if (!counted(r)) r.fail(Reason::attribute, "neither batch_size nor batch_counts is given");
  } else {
    const std::int64_t size = r.integer("batch_size");
    if (size < 0 || size > std::numeric_limits<std::int32_t>::max())
      r.fail(Reason::attribute, "batch_size is " + std::to_string(size));
    if (counted(r) && size != B)
      r.fail(Reason::attribute,
             "batch_size is " + std::to_string(size) + " for " + std::to_string(B) + " batch counts");
    B = size;
  }
  if (mode == Mode::max && B == 0) r.fail(Reason::domain, "the maximum of no batches");
  return B;
}

template <Mode mode>
std::vector<Spec> infer(const Request& r) {
  return r.outputs({{'B', batches(r, mode, r.size('N'))}});
}

// The batch of each active row, -1 for none: column 0, or whose interval of counts the row lies in.
List batch_of_rows(const Call& call, std::int64_t B) {
  List batch;
  for (const Site& s : active_sites(call, kCoords, kActive)) batch.push_back(s[0] >= 0 && s[0] < B ? s[0] : -1);
  if (!counted(call)) return batch;
  const List counts = call.list("batch_counts");
  List by_count;
  for (std::size_t b = 0; b < counts.size(); ++b)
    by_count.insert(by_count.end(), static_cast<std::size_t>(counts[b]), static_cast<std::int64_t>(b));
  by_count.resize(batch.size());
  return by_count;
}

struct Pooled {
  List batch, rows;  // of each row; of each batch
  Reals Y;
};

// Y[b] = sum (or max) over the active rows r of batch b of X[r]; avg: divided by how many they are
Pooled pool(const Call& call, Mode mode, const Shape& shape) {
  const std::int64_t B = shape[0], C = shape[1];
  const Wide features = widen(call[kFeatures]);
  const Reals& X = reals(features);
  Pooled p{batch_of_rows(call, B), List(static_cast<std::size_t>(B)),
           Reals(shape, mode == Mode::max ? -INFINITY : 0.0)};
  for (std::size_t r = 0; r < p.batch.size(); ++r) {
    const std::int64_t b = p.batch[r];
    if (b < 0) continue;
    ++p.rows[static_cast<std::size_t>(b)];
    for (std::int64_t c = 0; c < C; ++c) {
      double& y = p.Y[b * C + c];
      const double x = X[static_cast<std::int64_t>(r) * C + c];
      if (mode == Mode::max) y = x > y ? x : y;
      else y += x;
    }
  }
  for (std::int64_t b = 0; b < B; ++b) {
    const std::int64_t n = p.rows[static_cast<std::size_t>(b)];
    if (mode == Mode::max && n == 0) call.fail(Reason::domain, "batch " + std::to_string(b) + " is empty");
    for (std::int64_t c = 0; c < C && mode == Mode::avg && n > 0; ++c) p.Y[b * C + c] /= static_cast<double>(n);
  }
  return p;
}

template <Mode mode>
std::vector<Wide> pooling(const Call& call) {
  return {pool(call, mode, infer<mode>(call)[0].shape).Y};
}

// dX[r] = G[b]; avg: G[b] / rows of b; max: G[b] / t where X[r] is one of t that equal Y[b], else 0
template <Mode mode>
std::vector<Wide> gradient(const Call& call) {
  const Shape& shape = call.shape(kCotangent);
  const Pooled p = pool(call, mode, shape);
  const Wide features = widen(call[kFeatures]), cotangent = widen(call[kCotangent]);
  const Reals &X = reals(features), &G = reals(cotangent);
  const std::int64_t C = shape[1], A = std::ssize(p.batch);
  Reals dX(X.shape), ties(shape);
  const auto wins = [&](std::int64_t r, std::int64_t b, std::int64_t c) { return X[r * C + c] == p.Y[b * C + c]; };
  for (std::int64_t r = 0; r < A; ++r)
    if (const std::int64_t b = p.batch[static_cast<std::size_t>(r)]; b >= 0)
      for (std::int64_t c = 0; c < C; ++c) ties[b * C + c] += wins(r, b, c);
  for (std::int64_t r = 0; r < A; ++r)
    if (const std::int64_t b = p.batch[static_cast<std::size_t>(r)]; b >= 0)
      for (std::int64_t c = 0; c < C; ++c) {
        const double g = G[b * C + c], n = static_cast<double>(p.rows[static_cast<std::size_t>(b)]);
        if (mode == Mode::sum) dX[r * C + c] = g;
        else if (mode == Mode::avg) dX[r * C + c] = g / n;
        else if (wins(r, b, c)) dX[r * C + c] = g / ties[b * C + c];
      }
  return {dX};
}

std::int64_t terms(const Call& call) {
  const std::int64_t B = output_specs(call)[0].shape[0];
  List rows(static_cast<std::size_t>(B) + 1, 0);
  for (const std::int64_t b : batch_of_rows(call, B)) ++rows[static_cast<std::size_t>(b < 0 ? B : b)];
  return std::max<std::int64_t>(1, B > 0 ? *std::max_element(rows.begin(), rows.end() - 1) : 1);
}

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> rows(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

struct Trial {
  std::int64_t n = 60, active = 57, channels = 5, size = 2;
  List counts{};
  std::string sites = "sites_batches", values = "uniform", seeds = "uniform";
  Dtype coords = Dtype::i32, type = Dtype::f32;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;
};

template <Mode mode, bool vjp>
Case described(const Trial& t) {
  const Layout plain = t.layout == Layout::broadcast ? Layout::row : t.layout;
  Attrs attrs;
  if (t.counts.empty()) attrs.set("batch_size", t.size);
  else attrs.set("batch_counts", t.counts);
  Case c{
      {input(t.coords, {t.n, 4}, t.sites, plain), rows(t.active), input(t.type, {t.n, t.channels}, t.values, t.layout)},
      attrs,
      t.budget};
  const std::int64_t B = t.counts.empty() ? t.size : std::ssize(t.counts);
  if (vjp) c.in.push_back(input(t.type, {B, t.channels}, t.seeds, plain));
  return c;
}

template <Mode mode, bool vjp>
class Cases {
 public:
  std::vector<Case> all() {
    for (const Dtype type : kTypes)
      for (const char* values : {"uniform", "int-1", "special"}) {
        add({.values = values, .type = type, .budget = Budget::smoke});
        add({.counts = {20, 33, 7}, .values = values, .type = type, .budget = Budget::smoke});
      }
    batch_sweep();
    size_sweep();
    value_sweep();
    for (const Dtype type : kTypes)
      add({.n = 300000, .active = 299000, .channels = 3, .type = type, .budget = Budget::nightly});
    return std::move(cases_);
  }

 private:
  static constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16};
  void add(const Trial& t) { cases_.push_back(described<mode, vjp>(t)); }

  // Batches in any order, below and beyond those asked for, declared and not; empty ones for all but the maximum.
  void batch_sweep() {
    add({.n = 1500, .active = 1490, .size = 1, .sites = "sites_negative-1"});
    add({.size = 1, .coords = Dtype::i64});
    add({.counts = {60}});
    add({.active = 60, .counts = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 50}});
    for (const Dtype type : kTypes) add({.values = "const--0", .type = type});  // the sign of a zero stays
    if (mode == Mode::max) return;
    add({.n = 9000, .active = 9000, .channels = 1, .size = 300, .sites = "sites_batches-300", .values = "int-9"});
    for (const std::int64_t size : {0, 3, 5, 256, 1000})
      add({.size = size, .sites = "sites_batches-3", .values = "int-3"});
    add({.active = 30, .counts = {0, 20, 20, 0, 20, 0}});
    add({.active = 0, .counts = {20, 40}});
    add({.n = 0, .active = 0, .counts = {0}});
    add({.n = 0, .active = 0, .size = 2});
    add({.active = 0, .type = Dtype::f16});
  }

  void size_sweep() {
    for (const std::int64_t n : {1, 2, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2049, 4095, 4096, 4097, 4161, 8193})
      add({.n = n,
           .active = n,
           .channels = 2,
           .size = 1,
           .sites = "sites_box-1",
           .values = n % 3 == 0 ? "int-3" : "uniform",
           .budget = n == 1023 ? Budget::smoke : Budget::ci});
    for (const std::int64_t c : {0, 1, 3, 4, 15, 16, 17, 31, 33, 64, 130})
      for (const Dtype type : kTypes) add({.channels = c, .type = type});
  }

  void value_sweep() {
    for (const Dtype type : kTypes) {
      for (const char* v : {"const--2", "const-1", "cancel", "wide", "masked", "masked-8", "order", "tiny", "huge",
                            "subnormal", "lanes-161"})
        add({.n = 200, .active = 190, .channels = 4, .values = v, .type = type});
      for (const Layout l : kLayouts) add({.values = "int-3", .type = type, .layout = l});
    }
    // more rows, and sums, than half precision can count
    for (const char* v : {"const-1", "const-30", "int-9"})
      add({.n = 9001,
           .active = 9001,
           .channels = 1,
           .size = 1,
           .sites = "sites_block",
           .values = v,
           .type = Dtype::f16});
    // 1366 / 8195 lies so near the middle of two halves that to round it to f32 first goes astray
    if (vjp)
      add({.n = 8195,
           .active = 8195,
           .channels = 1,
           .size = 1,
           .sites = "sites_block",
           .values = "const-1",
           .seeds = "const-1366",
           .type = Dtype::f16});
  }

  std::vector<Case> cases_;
};

template <Mode mode, bool vjp>
std::vector<Case> cases() {
  return Cases<mode, vjp>().all();
}

template <Mode mode, bool vjp>
std::vector<Reject> rejects() {
  std::vector<Reject> r;
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = described<mode, vjp>({.n = 8, .active = 8, .channels = 3});
    change(c);
    r.push_back({c, reason, why});
  };
  with([](Case& c) { c.attrs = {}; }, Reason::attribute, "neither batch_size nor batch_counts");
  with([](Case& c) { c.attrs.set("batch_size", -1); }, Reason::attribute, "a negative batch_size");
  with([](Case& c) { c.attrs.set("batch_counts", List{3, 3, 2}); }, Reason::attribute, "two batches and three counts");
  with([](Case& c) { c.attrs.set("batch_counts", List{9, -1}); }, Reason::attribute, "a negative batch count");
  with([](Case& c) { c.attrs.set("batch_counts", List{4, 3}); }, Reason::shape, "batches of fewer rows");
  if (mode == Mode::max) {
    with([](Case& c) { c.in[kActive]->fill = "const-0"; }, Reason::domain, "the maximum of nothing");
    with(
        [](Case& c) {
          c.attrs = {{"batch_counts", List{8, 0}}};
        },
        Reason::domain, "the second batch is declared empty");
    with(
        [](Case& c) {
          c.attrs = {{"batch_size", 0}};
          if (vjp) c.in[kCotangent]->shape[0] = 0;
        },
        Reason::domain, "no batches");
  }
  if (vjp) with([](Case& c) { c.in[kCotangent]->shape[0] = 3; }, Reason::shape, "a cotangent of three batches");
  return r;
}

template <Mode mode, bool vjp>
std::vector<Case> bench() {
  std::vector<Case> c;
  for (const Dtype type : {Dtype::f32, Dtype::f16})
    c.push_back(described<mode, vjp>({.n = 200000, .active = 200000, .channels = 64, .type = type}));
  c.push_back(described<mode, vjp>({.n = 200000, .active = 200000, .channels = 64, .counts = {50000, 70000, 80000}}));
  return c;
}

constexpr std::string_view kMeaning =
    "batches by column 0 (batch_size), or by counts of consecutive rows; counts are not mandatory. Rows from the "
    "active count "
    "on and of other batches are passed over, not multiplied by 0. f16 is summed and counted in at least f32; empty: 0";
constexpr std::string_view kMaxMeaning =
    "batches as in global_sum_pool; an empty batch is an error, unlike an empty window; NaN is never greater; of equal "
    "zeros "
    "the first row's; -inf if all is NaN";

// Only a maximum asks for the features again.
template <Mode mode>
Cost gradient_cost(const Call& call) {
  const Spec& x = *call.specs[kFeatures];
  const double unread = mode == Mode::max ? 0 : static_cast<double>(count(x.shape)) * info(x.dtype).bytes;
  return {0, input_bytes(call) - unread + output_bytes(call)};
}

template <Mode mode, bool vjp>
Op row(std::string_view name, std::string_view equation, std::string_view meaning) {
  Op op{.name = name,
        .signature =
            kSites + ", features T[N,C]" + (vjp ? ", cotangent T[B,C] -> grad_features T[N,C]" : " -> out T[B,C]"),
        .types = "I: i32 i64; T: f16 f32",
        .attrs = {{"batch_size", kNone}, {"batch_counts", kNone}},
        .equation = equation,
        .meaning = meaning,
        .infer = infer<mode>,
        .oracle = vjp ? gradient<mode> : pooling<mode>,
        .cases = cases<mode, vjp>,
        .rejects = rejects<mode, vjp>,
        .bench = bench<mode, vjp>,
        .tolerance = {}};
  if (vjp) {
    op.cost = gradient_cost<mode>;
    op.tolerance.kind = Tolerance::Class::rounded;
  } else if (mode != Mode::max) op.tolerance = {.kind = Tolerance::Class::accumulate, .terms = terms};
  return op;
}

}  // namespace

std::vector<Op> global_pooling_ops() {
  return {
      row<Mode::sum, false>("global_sum_pool", "Y[b] = sum over the active rows r of batch b of X[r]", kMeaning),
      row<Mode::avg, false>("global_avg_pool",
                            "Y[b] = (sum over the active rows r of batch b of X[r]) / how many they are", kMeaning),
      row<Mode::max, false>("global_max_pool", "Y[b] = max over the active rows r of batch b of X[r]", kMaxMeaning),
      row<Mode::sum, true>("global_sum_pool_vjp", "dX[r] = G[b] for the active rows r of batch b, else 0", kMeaning),
      row<Mode::avg, true>("global_avg_pool_vjp", "dX[r] = G[b] / rows of b for the active rows r of batch b, else 0",
                           kMeaning),
      row<Mode::max, true>("global_max_pool_vjp",
                           "dX[r] = G[b] / t for the t active rows r of batch b with X[r] = Y[b], else 0",
                           "ties share equally; else as global_max_pool"),
  };
}

}  // namespace plumb
