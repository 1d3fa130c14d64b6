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
      double& y = p.Y(b, c);
      const double x = X(r, c);
      if (mode == Mode::max) y = x > y ? x : y;
      else y += x;
    }
  }
  for (std::int64_t b = 0; b < B; ++b) {
    const std::int64_t n = p.rows[static_cast<std::size_t>(b)];
    if (mode == Mode::max && n == 0) call.fail(Reason::domain, "batch " + std::to_string(b) + " is empty");
    for (std::int64_t c = 0; c < C && mode == Mode::avg && n > 0; ++c) p.Y(b, c) /= static_cast<double>(n);
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
  const auto wins = [&](std::int64_t r, std::int64_t b, std::int64_t c) { return X(r, c) == p.Y(b, c); };
  for (std::int64_t r = 0; r < A; ++r)
    if (const std::int64_t b = p.batch[static_cast<std::size_t>(r)]; b >= 0)
      for (std::int64_t c = 0; c < C; ++c) ties(b, c) += wins(r, b, c);
  for (std::int64_t r = 0; r < A; ++r)
    if (const std::int64_t b = p.batch[static_cast<std::size_t>(r)]; b >= 0)
      for (std::int64_t c = 0; c < C; ++c) {
        const double g = G(b, c), n = static_cast<double>(p.rows[static_cast<std::size_t>(b)]);
        if (mode == Mode::sum) dX(r, c) = g;
        else if (mode == Mode::avg) dX(r, c) = g / n;
        else if (wins(r, b, c)) dX(r, c) = g / ties(b, c);
      }
  return {dX};
}

std::int64_t terms(const Call& call) {
  const std::int64_t B = output_specs(call)[0].shape[0];
  List rows(static_cast<std::size_t>(B) + 1, 0);
  for (const std::int64_t b : batch_of_rows(call, B)) ++rows[static_cast<std::size_t>(b < 0 ? B : b)];
  return std::max<std::int64_t>(1, B > 0 ? *std::max_element(rows.begin(), rows.end() - 1) : 1);
}

constexpr const char* kInputs = R"(
  from   n=60 a=57 ch=5 size=2 counts=- sites=sites_batches x=uniform y=uniform c=i32 t=f32 l=row
         v={l=='broadcast'?'row':l}
  from   B={size}
)";

constexpr const char* kCases = R"(
  smoke  size,B,counts={2 2 -, - 3 20:33:7} x={uniform,int-1,special} t={f32,f16}
  # batches in any order, below and beyond those asked for, declared and not
  ci     n=1500 a=1490 size=1 sites=sites_negative-1
  ci     size=1 c=i64
  ci     size=- B=1 counts=60:
  ci     a=60 size=- B=11 counts=1:1:1:1:1:1:1:1:1:1:50
  ci     x=const--0 t={f32,f16}    # the sign of a zero stays
  # rows and channels around blocks and threads
  smoke  n=1023 a={n} ch=2 size=1 sites=sites_box-1 x=int-3
  ci     n={1,2,63,64,65,127,128,129,1024,1025,2049,4095,4096,4097,4161,8193} a={n} ch=2 size=1 sites=sites_box-1
         x={n%3?'uniform':'int-3'}
  ci     ch={0,1,3,4,15,16,17,31,33,64,130} t={f32,f16}
  # values
  ci     n=200 a=190 ch=4 t={f32,f16} x={const--2,const-1,cancel,wide,masked,masked-8,order,tiny,huge,subnormal,
         lanes-161}
  ci     x=int-3 t={f32,f16} l={@layouts}
  ci     n=9001 a=9001 ch=1 size=1 sites=sites_block x={const-1,const-30,int-9} t=f16   # beyond half precision
  nightly n=300000 a=299000 ch=3 t={f32,f16}
)";

// Not for a maximum.
constexpr const char* kEmpty = R"(
  # empty batches
  ci     n=9000 a=9000 ch=1 size=300 sites=sites_batches-300 x=int-9
  ci     size={0,3,5,256,1000} sites=sites_batches-3 x=int-3
  ci     a=30 size=- B=6 counts=0:20:20:0:20:0
  ci     a=0 size=- B=2 counts=20:40
  ci     n=0 a=0 size,B,counts={- 1 0:, 2 2 -}
  ci     a=0 t=f16
)";

constexpr const char* kHalfSums = R"(
  # 1366 / 8195 lies so near the middle of two halves that to round it to f32 first goes astray
  ci     n=8195 a=8195 ch=1 size=1 sites=sites_block x=const-1 y=const-1366 t=f16
)";

constexpr const char* kBench = R"(
  ci     n=200000 a=200000 ch=64 t={f32,f16}
  ci     n=200000 a=200000 ch=64 size=- B=3 counts=50000:70000:80000
)";

constexpr const char* kRejects = R"(
  from   coords=i32.8x4.row.sites_batches a=8 x={t}.{xs}.row.uniform t=f32 xs=8x3 y={u}.{ys}.row.uniform u=f32 ys=2x3
  from   size=2 counts=-
  attribute size=-                # neither batch_size nor batch_counts
  attribute size=-1               # a negative batch_size
  attribute counts=3:3:2          # two batches and three counts
  attribute counts=9:-1           # a negative batch count
  shape  counts=4:3               # batches of fewer rows
)";

constexpr const char* kMaxRejects = R"(
  domain a=0                      # the maximum of nothing
  domain size=- counts=8:0        # the second batch is declared empty
  domain size=0 ys=0x3            # no batches
)";

constexpr const char* kVjpRejects = R"(
  shape  ys=3x3                   # a cotangent of three batches
)";

constexpr const char* kCall =
    "call   {c}.{n}x4.{v}.{sites}+i32.1.row.const-{a}+{t}.{n}x{ch}.{l}.{x}/batch_size={size},batch_counts={counts}";
constexpr const char* kVjpCall =
    "call   {c}.{n}x4.{v}.{sites}+i32.1.row.const-{a}+{t}.{n}x{ch}.{l}.{x}+{t}.{B}x{ch}.{v}.{y}"
    "/batch_size={size},batch_counts={counts}";

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
        .cases = {vjp ? kVjpCall : kCall, kInputs, kCases, mode == Mode::max ? "" : kEmpty, vjp ? kHalfSums : ""},
        .rejects = {vjp ? "call {coords}+i32.1.row.const-{a}+{x}+{y}/batch_size={size},batch_counts={counts}"
                        : "call {coords}+i32.1.row.const-{a}+{x}/batch_size={size},batch_counts={counts}",
                    kRejects, mode == Mode::max ? kMaxRejects : "", vjp ? kVjpRejects : ""},
        .bench = {vjp ? kVjpCall : kCall, kInputs, kBench},
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
