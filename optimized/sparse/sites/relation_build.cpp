// Edges by sorting. Coordinates are packed into one integer that keeps their order, so that a kernel offset is
// the addition of a constant: a sorted list plus a constant is still sorted, and each kernel column is one linear
// merge of the outputs with the inputs. Rows come in any order: a run of sorted outputs is merged where it stays in
// the cache, and only then do its rows go to their places. Where the packing does not fit in 63 bits, coordinates are
// compared whole.
#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/sparse/sites/packed_sites.h"
#include "optimized/sparse/sites/relation.h"

namespace plumb::cpu {
namespace {

constexpr std::int64_t kGrain = 4096;
// The cells of a run of outputs stay in the first cache.
constexpr Limit kRunCells{"relation_build.run_cells", 8192, 64};
constexpr Limit kMinRun{"relation_build.least_run", 64, 3}, kMaxRun{"relation_build.most_run", 512, 9};
constexpr std::uint64_t kBeyond = std::numeric_limits<std::uint64_t>::max();

// int64 that wraps modulo 2^64
std::int64_t affine(std::int64_t c, std::int64_t scale, std::int64_t shift) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(c) * static_cast<std::uint64_t>(scale) +
                                   static_cast<std::uint64_t>(shift));
}

std::int64_t floor_divide(std::int64_t a, std::int64_t s) { return a / s - (a % s < 0 ? 1 : 0); }

// The candidates of one axis in ascending order: where it reaches, and the kernel index that reaches there.
struct Tap {
  std::int64_t shift;
  std::int64_t index;
};

// An edge joins output o and input i under kernel (kx,ky,kz) where in[i]*in_scale = out[o]*out_scale + shifts.
struct Match {
  std::array<std::vector<Tap>, 3> taps;
  std::array<std::int64_t, 3> in_scale{1, 1, 1}, out_scale{1, 1, 1};
  std::int64_t kernel(std::int64_t x, std::int64_t y, std::int64_t z) const {
    return (x * std::ssize(taps[1]) + y) * std::ssize(taps[2]) + z;
  }
};

Match match(RelationKind kind, const Geometry& g) {
  const bool inverse = kind == RelationKind::target_transposed;
  Match m;
  for (std::size_t a = 0; a < 3; ++a) {
    const bool centred = !inverse && g.size[a] % 2 == 1;
    for (std::int64_t k = 0; k < g.size[a]; ++k) {
      const std::int64_t f = (k - (centred ? g.size[a] / 2 : 0)) * g.dilation[a];
      m.taps[a].push_back({inverse ? g.padding[a] - f : f - g.padding[a], k});
    }
    if (inverse) std::reverse(m.taps[a].begin(), m.taps[a].end());
    (inverse ? m.in_scale : m.out_scale)[a] = g.stride[a];
  }
  return m;
}

// The range of scale * rows + [first, last] shifts.
template <class Shifts>
SiteRange moved(SiteRange r, const std::array<std::int64_t, 3>& scale, Shifts&& shifts) {
  for (std::size_t a = 0; a < 3 && r.low[0] <= r.high[0]; ++a) {
    const auto [first, last] = shifts(a);
    r.low[a + 1] = r.low[a + 1] * scale[a] + first;
    r.high[a + 1] = r.high[a + 1] * scale[a] + last;
  }
  return r;
}

std::pair<std::int64_t, std::int64_t> unmoved(std::size_t) { return {0, 0}; }

// The distinct floor(row / stride), in first-seen order.
std::vector<std::int64_t> coarsened(const Rows& in, const Geometry& g) {
  const auto floored = [&](std::int64_t i) {
    Coordinates s = coordinates(in, i);
    for (std::size_t a = 0; a < 3; ++a) s[a + 1] = floor_divide(s[a + 1], g.stride[a]);
    return s;
  };
  SiteRange r = range(in);
  for (std::size_t a = 0; a < 3 && in.count > 0; ++a) {
    r.low[a + 1] = floor_divide(static_cast<std::int64_t>(r.low[a + 1]), g.stride[a]);
    r.high[a + 1] = floor_divide(static_cast<std::int64_t>(r.high[a + 1]), g.stride[a]);
  }
  const Groups groups = group(in.count, r, floored);
  std::vector<std::int64_t> firsts;
  for (std::size_t i = 0; i + 1 < groups.starts.size(); ++i)
    firsts.push_back(groups.order[static_cast<std::size_t>(groups.starts[i])]);
  std::sort(firsts.begin(), firsts.end());
  std::vector<std::int64_t> out;
  for (const std::int64_t f : firsts) {
    const Coordinates s = floored(f);
    out.insert(out.end(), s.begin(), s.end());
  }
  return out;
}

// Both sides of a match in ascending order.
struct Sides {
  Sorted in;   // the lowest row of each site; closed by kClosing keys beyond all others
  Sorted out;  // each at its first taps
};
constexpr std::size_t kClosing = 3;

Sorted sorted_rows(const Rows& rows, const std::array<std::int64_t, 3>& scale, const Coordinates& shift,
                   const Frame& frame) {
  return sorted(rows.count, [&](std::int64_t i) {
    Coordinates s = coordinates(rows, i);
    for (std::size_t a = 0; a < 3; ++a) s[a + 1] = affine(s[a + 1], scale[a], shift[a + 1]);
    return frame.key(s);
  });
}

Sides sides(const Rows& in, const Rows& out, const Match& m, const Frame& frame) {
  const Coordinates none{}, first{0, m.taps[0][0].shift, m.taps[1][0].shift, m.taps[2][0].shift};
  Sides s;
  s.in = sorted_rows(in, m.in_scale, none, frame);
  if (in.data == out.data && in.count == out.count && m.in_scale == m.out_scale) {
    s.out = s.in;
    for (std::uint64_t& key : s.out.keys)
      for (std::size_t a = 1; a < 4; ++a) key += frame.step(a, first[a]);
  } else {
    s.out = sorted_rows(out, m.out_scale, first, frame);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < s.in.keys.size(); ++i) {
    if (i > 0 && s.in.keys[i] == s.in.keys[i - 1]) continue;
    s.in.keys[kept] = s.in.keys[i];
    s.in.rows[kept++] = s.in.rows[i];
  }
  s.in.keys.resize(kept), s.in.rows.resize(kept);
  s.in.keys.resize(kept + kClosing, kBeyond), s.in.rows.resize(kept + kClosing, -1);
  return s;
}

// One kernel column (x,y fixed) of some sorted outputs.
struct Column {
  const std::uint64_t *in, *out;  // keys
  const std::int32_t* rows;       // of the inputs
  std::int64_t outputs = 0;
  std::uint64_t shift = 0;             // from the first column to this one
  const std::uint64_t* steps;          // from the first tap of z to each
  std::int64_t taps = 0, to_next = 1;  // and from the cell of one to that of the next: 1 or -1
  std::int32_t* cells = nullptr;       // of the first output's first tap
  std::int64_t kernels = 0;            // from a cell to that of the next output
};

// kTaps: how many of z there are, or 0 for any number. Nearly every step of p and q is taken without a branch, since
// whether a site is there cannot be predicted.
template <int kTaps>
void merge_column(const Column& c, std::int64_t p) {
  const std::uint64_t* const in = c.in;
  const std::int32_t* const rows = c.rows;
  const std::int64_t taps = kTaps ? kTaps : c.taps;
  std::int32_t* cells = c.cells;
  for (std::int64_t o = 0; o < c.outputs; ++o, cells += c.kernels) {
    const std::uint64_t base = c.out[o] + c.shift;
    p += (in[p] < base) + (in[p + 1] < base) + (in[p + 2] < base);
    while (in[p] < base) ++p;
    std::int64_t q = p;
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::uint64_t key = base + c.steps[t];
      while (in[q] < key) ++q;
      const std::int32_t met = in[q] == key;
      cells[t * c.to_next] = rows[q] | (met - 1);
      q += met;
    }
  }
}

// cells[o - first][k] = the input row that meets the sorted output o of [first, last) under kernel row k, or -1
void merge_run(const Match& m, const Frame& frame, const Sides& s, std::int64_t first, std::int64_t last,
               std::int32_t* cells, std::int64_t kernels) {
  const std::vector<Tap>& z = m.taps[2];
  Room<std::uint64_t> steps;
  for (const Tap& tap : z) steps.push_back(frame.step(3, tap.shift - z[0].shift));
  Column c{.in = s.in.keys.data(),
           .out = s.out.keys.data() + first,
           .rows = s.in.rows.data(),
           .outputs = last - first,
           .steps = steps.data(),
           .taps = std::ssize(z),
           .to_next = z.front().index <= z.back().index ? 1 : -1,
           .kernels = kernels};
  const auto begin = s.in.keys.begin(), end = s.in.keys.end() - kClosing;
  for (const Tap& x : m.taps[0])
    for (const Tap& y : m.taps[1]) {
      c.shift = frame.step(1, x.shift - m.taps[0][0].shift) + frame.step(2, y.shift - m.taps[1][0].shift);
      c.cells = cells + m.kernel(x.index, y.index, z[0].index);
      const std::int64_t p = std::lower_bound(begin, end, c.out[0] + c.shift) - begin;
      c.taps == 3 ? merge_column<3>(c, p) : merge_column<0>(c, p);
    }
}

// map[o][k] = the input row that meets output o under kernel row k, or -1
void merge_map(const Rows& in, const Rows& out, const Match& m, const Frame& frame, std::int64_t kernels,
               const Block<std::int32_t>& map) {
  constexpr std::int64_t kAhead = 8, kLine = 16;
  const std::int64_t least = kMinRun.of(out.count), most = kMaxRun.of(out.count);
  const std::int64_t run = std::min(std::clamp<std::int64_t>(kRunCells.of(out.count * kernels) / kernels, least, most),
                                    std::max<std::int64_t>(out.count, 1));
  const Sides s = sides(in, out, m, frame);
  const auto to = [&](std::int64_t o) { return map.data + s.out.rows[static_cast<std::size_t>(o)] * kernels; };
  parallel_for((out.count + run - 1) / run, 1, [&](std::int64_t begin, std::int64_t end) {
    Room<std::int32_t> cells(static_cast<std::size_t>(run * kernels));
    for (std::int64_t first = begin * run; first < std::min(out.count, end * run); first += run) {
      const std::int64_t last = std::min(out.count, first + run);
      merge_run(m, frame, s, first, last, cells.data(), kernels);
      for (std::int64_t o = first; o < last; ++o) {
        const std::int64_t ahead = o + kAhead;
        for (std::int64_t k = 0; ahead < last && k < kernels; k += kLine) __builtin_prefetch(to(ahead) + k, 1);
        std::copy_n(cells.data() + (o - first) * kernels, kernels, to(o));
      }
    }
  });
}

// The same where coordinates do not pack: whole sites, found by bisection.
void search_map(const Rows& in, const Rows& out, const Match& m, std::int64_t kernels, const Block<std::int32_t>& map) {
  std::vector<std::pair<Coordinates, std::int32_t>> known(static_cast<std::size_t>(in.count));
  for (std::int64_t i = 0; i < in.count; ++i)
    known[static_cast<std::size_t>(i)] = {coordinates(in, i), static_cast<std::int32_t>(i)};
  std::sort(known.begin(), known.end());
  const auto find = [&](const Coordinates& s) {
    const auto hit =
        std::lower_bound(known.begin(), known.end(), std::pair{s, std::numeric_limits<std::int32_t>::min()});
    return hit != known.end() && hit->first == s ? hit->second : -1;
  };
  parallel_for(out.count, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o)
      for (const Tap& x : m.taps[0])
        for (const Tap& y : m.taps[1])
          for (const Tap& z : m.taps[2]) {
            Coordinates s{out.at(o, 0)};
            bool exact = true;
            const Tap* taps[] = {&x, &y, &z};
            for (std::size_t a = 0; a < 3; ++a) {
              const std::int64_t v = affine(out.at(o, static_cast<int>(a) + 1), m.out_scale[a], taps[a]->shift);
              exact = exact && v % m.in_scale[a] == 0;
              s[a + 1] = v / m.in_scale[a];
            }
            map[o * kernels + m.kernel(x.index, y.index, z.index)] = exact ? find(s) : -1;
          }
  });
}

void fill_map(RelationKind kind, const Geometry& g, const Rows& in, const Rows& out, const Block<std::int32_t>& map) {
  const Match m = match(kind, g);
  SiteRange r = moved(range(in), m.in_scale, unmoved);
  r.include(moved(range(out), m.out_scale, [&](std::size_t a) {
    return std::pair{m.taps[a].front().shift, m.taps[a].back().shift};
  }));
  const Frame frame(r);
  frame.fits ? merge_map(in, out, m, frame, g.volume, map) : search_map(in, out, m, g.volume, map);
}

// Edges of a map, row by row.
void list_edges(Relation& r, const Block<std::int32_t>& map, std::int32_t* in_column, std::int32_t* kernel_column) {
  const std::int64_t kernels = r.kernels;
  r.offsets.assign(static_cast<std::size_t>(r.outputs) + 1, 0);
  parallel_for(r.outputs, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      std::int32_t degree = 0;
      for (std::int64_t k = 0; k < kernels; ++k) degree += map[o * kernels + k] >= 0;
      r.offsets[static_cast<std::size_t>(o) + 1] = degree;
    }
  });
  std::partial_sum(r.offsets.begin(), r.offsets.end(), r.offsets.begin());
  r.edges = r.offsets.back();
  r.in = Block<std::int32_t>(r.edges, in_column);
  r.kernel = Block<std::int32_t>(r.edges, kernel_column);
  const auto offset = [&](std::int64_t o) { return std::int64_t{r.offsets[static_cast<std::size_t>(o)]}; };
  parallel_for(r.outputs, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      const std::int32_t* cells = map.data + o * kernels;
      std::int64_t e = offset(o);
      // Without a branch, the place after the edges is written too: it must be that of an edge still to come here.
      const std::int64_t free = offset(o + 1) < offset(end) ? kernels : 0;
      for (std::int64_t k = 0; k < free; ++k) {
        r.in[e] = cells[k], r.kernel[e] = static_cast<std::int32_t>(k);
        e += cells[k] >= 0;
      }
      for (std::int64_t k = free; k < kernels; ++k)
        if (cells[k] >= 0) r.in[e] = cells[k], r.kernel[e] = static_cast<std::int32_t>(k), ++e;
    }
  });
}

bool unit_step(const Geometry& g) {
  constexpr std::array<std::int64_t, 3> kOnes{1, 1, 1}, kZeros{0, 0, 0};
  return g.stride == kOnes && g.padding == kZeros;
}

// The gathering kinds: the outputs are known first, and look for inputs.
Relation gathered(RelationKind kind, const Geometry& g, const Rows& in, const Rows& targets, std::int32_t* in_column,
                  std::int32_t* kernel_column) {
  Relation r;
  r.kernels = g.volume;
  Map map = build_map(kind, g, in, targets);
  r.out_coords = std::move(map.out_coords);
  r.out_rows = map.out_rows;
  r.outputs = r.out_rows.count;
  list_edges(r, map.rows, in_column, kernel_column);
  return r;
}

// Where inputs lead under each kernel row.
class Reach {
 public:
  Reach(const Rows& in, const Geometry& g) : in_(in), stride_(g.stride) {
    for (std::int64_t x = 0; x < g.size[0]; ++x)
      for (std::int64_t y = 0; y < g.size[1]; ++y)
        for (std::int64_t z = 0; z < g.size[2]; ++z)
          shifts_.push_back(
              {x * g.dilation[0] - g.padding[0], y * g.dilation[1] - g.padding[1], z * g.dilation[2] - g.padding[2]});
  }
  Coordinates operator()(std::int64_t input, std::int64_t kernel) const {
    const std::array<std::int64_t, 3>& shift = shifts_[static_cast<std::size_t>(kernel)];
    Coordinates s{in_.at(input, 0)};
    for (std::size_t a = 0; a < 3; ++a) s[a + 1] = affine(in_.at(input, static_cast<int>(a) + 1), stride_[a], shift[a]);
    return s;
  }

 private:
  Rows in_;
  std::array<std::int64_t, 3> stride_;
  std::vector<std::array<std::int64_t, 3>> shifts_;
};

// Every (input, kernel row) makes an output row of its own.
void spread(Relation& r, const Geometry& g, const Rows& in) {
  const Reach reached(in, g);
  r.outputs = r.edges;
  r.out_coords.resize(static_cast<std::size_t>(4 * r.outputs));
  parallel_for(in.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin, e = begin * g.volume; i < end; ++i)
      for (std::int64_t k = 0; k < g.volume; ++k, ++e) {
        r.in[e] = static_cast<std::int32_t>(i);
        r.kernel[e] = static_cast<std::int32_t>(k);
        r.offsets[static_cast<std::size_t>(e) + 1] = static_cast<std::int32_t>(e + 1);
        const Coordinates s = reached(i, k);
        std::copy(s.begin(), s.end(), r.out_coords.begin() + 4 * e);
      }
  });
}

// Edges in the order of kernel row, then input row.
struct KernelFirst {
  std::uint32_t inputs;
  std::uint32_t input(std::int32_t e) const { return static_cast<std::uint32_t>(e) % inputs; }
  std::uint32_t kernel(std::int32_t e) const { return static_cast<std::uint32_t>(e) / inputs; }
};

// begins[f] = where in the order the group begins whose first edge by input row, then kernel row, is f; else -1.
// The last edge of each group is complemented.
Room<std::int32_t> close_groups(Groups& g, const KernelFirst& edges, std::int64_t kernels, std::int64_t room) {
  Room<std::int32_t> begins(g.order.size() + static_cast<std::size_t>(room), -1);
  for (std::size_t i = 0; i + 1 < g.starts.size(); ++i) {
    const std::int64_t end = g.starts[i + 1];
    std::int64_t first = std::ssize(g.order);
    for (std::int64_t j = g.starts[i]; j < end; ++j) {
      const std::int32_t e = g.order[static_cast<std::size_t>(j)];
      first = std::min(first, edges.input(e) * kernels + edges.kernel(e));
    }
    begins[static_cast<std::size_t>(first)] = static_cast<std::int32_t>(g.starts[i]);
    g.order[static_cast<std::size_t>(end - 1)] = ~g.order[static_cast<std::size_t>(end - 1)];
  }
  return begins;
}

// Equal sites become one output row. The grouping is stable and so leaves the edges of an output in order of
// (kernel row, input row); outputs are numbered in the order in which inputs first reach them.
void merge(Relation& r, const Geometry& g, const Rows& in) {
  constexpr std::int64_t kAhead = 16;
  const Reach reached(in, g);
  const KernelFirst edges{static_cast<std::uint32_t>(in.count)};
  const SiteRange reach = moved(range(in), g.stride, [&](std::size_t a) {
    return std::pair{-g.padding[a], (g.size[a] - 1) * g.dilation[a] - g.padding[a]};
  });
  Groups groups = group(r.edges, reach, [&](std::int64_t i) {
    const auto e = static_cast<std::int32_t>(i);
    return reached(edges.input(e), edges.kernel(e));
  });
  const Room<std::int32_t> begins = close_groups(groups, edges, g.volume, kAhead);
  r.outputs = std::ssize(groups.starts) - 1;
  r.offsets.clear();
  r.out_coords.reserve(static_cast<std::size_t>(4 * r.outputs));
  std::int32_t to = 0;
  for (std::int64_t f = 0; f < r.edges; ++f) {
    const std::int32_t ahead = begins[static_cast<std::size_t>(f + kAhead)],
                       begin = begins[static_cast<std::size_t>(f)];
    if (ahead >= 0) __builtin_prefetch(groups.order.data() + ahead);
    if (begin < 0) continue;
    r.offsets.push_back(to);
    const Coordinates s = reached(f / g.volume, f % g.volume);
    r.out_coords.insert(r.out_coords.end(), s.begin(), s.end());
    for (const std::int32_t* member = groups.order.data() + begin;; ++member, ++to) {
      const std::int32_t e = *member < 0 ? ~*member : *member;
      r.in[to] = static_cast<std::int32_t>(edges.input(e)), r.kernel[to] = static_cast<std::int32_t>(edges.kernel(e));
      if (*member < 0) break;
    }
    ++to;
  }
  r.offsets.push_back(to);
}

// The scattering kinds: every input under every kernel row is an edge, and makes its output.
Relation scattered(RelationKind kind, const Geometry& g, const Rows& in, std::int32_t* in_column,
                   std::int32_t* kernel_column) {
  Relation r;
  r.kernels = g.volume;
  r.edges = in.count * g.volume;
  r.in = Block<std::int32_t>(r.edges, in_column);
  r.kernel = Block<std::int32_t>(r.edges, kernel_column);
  r.offsets.assign(static_cast<std::size_t>(r.edges) + 1, 0);
  bool apart = true;  // distinct inputs cannot reach the same site
  for (std::size_t a = 0; a < 3; ++a) apart = apart && g.stride[a] > (g.size[a] - 1) * g.dilation[a];
  if (kind == RelationKind::generative || apart || in.count == 0) spread(r, g, in);
  else merge(r, g, in);
  r.out_rows = {r.out_coords.data(), true, r.outputs};
  return r;
}

}  // namespace

Geometry geometry(const Request& r) {
  Geometry g;
  const auto read = [&](std::string_view attr, std::array<std::int64_t, 3>& to) {
    if (!r.attrs.find(attr)) return;
    const std::vector<std::int64_t> v = r.list(attr);
    for (std::size_t a = 0; a < 3; ++a) to[a] = v.size() == 1 ? v[0] : v.at(a);
  };
  read("kernel_size", g.size);
  read("stride", g.stride);
  read("padding", g.padding);
  read("dilation", g.dilation);
  g.volume = g.size[0] * g.size[1] * g.size[2];
  return g;
}

Rows rows(const Tensor& coords, const Tensor& active) {
  return {coords.read<std::byte>(), coords.dtype() == Dtype::i64, active.read<std::int32_t>()[0]};
}

Room<std::int32_t> nearby_order(const Rows& rows) {
  const SiteRange r = range(rows);
  int drop = 0;  // low bits that do not fit, of coordinates from the lowest
  std::array<std::uint64_t, 3> low{};
  for (std::size_t a = 0; a < 3 && rows.count > 0; ++a) {
    low[a] = static_cast<std::uint64_t>(static_cast<std::int64_t>(r.low[a + 1]));
    drop =
        std::max(drop, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(r.high[a + 1] - r.low[a + 1]))) - 20);
  }
  const auto spread = [](std::uint64_t v) {  // two zeros between any two of 20 bits
    v = (v | v << 32) & 0x1F00000000FFFF;
    v = (v | v << 16) & 0x1F0000FF0000FF;
    v = (v | v << 8) & 0x100F00F00F00F00F;
    v = (v | v << 4) & 0x10C30C30C30C30C3;
    return (v | v << 2) & 0x1249249249249249;
  };
  const auto key_of = [&](std::int64_t i) {
    std::uint64_t key = (static_cast<std::uint64_t>(rows.at(i, 0)) & 7) << 60;
    for (std::size_t a = 0; a < 3; ++a)
      key |= spread((static_cast<std::uint64_t>(rows.at(i, static_cast<int>(a) + 1)) - low[a]) >> drop) << a;
    return key;
  };
  return sorted(rows.count, key_of).rows;
}

Map build_map(RelationKind kind, const Geometry& g, const Rows& in, const Rows& targets, std::int32_t* given) {
  Map m;
  m.out_rows = kind == RelationKind::target || kind == RelationKind::target_transposed ? targets : in;
  if (kind == RelationKind::forward && !unit_step(g)) {
    m.out_coords = coarsened(in, g);
    m.out_rows = {m.out_coords.data(), true, std::ssize(m.out_coords) / 4};
  }
  m.rows = Block<std::int32_t>(m.out_rows.count * g.volume, given);
  fill_map(kind, g, in, m.out_rows, m.rows);
  return m;
}

Relation build(RelationKind kind, const Geometry& g, const Rows& in, const Rows& targets, std::int32_t* in_column,
               std::int32_t* kernel_column) {
  return kind == RelationKind::transposed || kind == RelationKind::generative
             ? scattered(kind, g, in, in_column, kernel_column)
             : gathered(kind, g, in, targets, in_column, kernel_column);
}

}  // namespace plumb::cpu
