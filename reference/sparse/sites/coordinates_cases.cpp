// Cases of the coordinate rows: what has gone wrong in tables of coordinates elsewhere, on every shape of input.
#include <limits>
#include <optional>
#include <string>

#include "reference/sparse/sites/coordinates.h"

namespace plumb::coordinates {
namespace {

using List = std::vector<std::int64_t>;

std::optional<Input> sites(std::int64_t n, std::string fill, Dtype t = Dtype::i32, Layout layout = Layout::row) {
  return Input{t, {n, 4}, layout, std::move(fill)};
}
std::optional<Input> rows(std::int64_t n) { return Input{Dtype::i32, {1}, Layout::row, "const-" + std::to_string(n)}; }
std::optional<Input> column(std::int64_t n, std::string fill, Layout layout = Layout::row) {
  return Input{Dtype::i32, {n}, layout, std::move(fill)};
}

// One set of coordinates, and a second one for rows that take two.
struct Kind {
  std::int64_t n;
  std::string fill;
  Dtype dtype = Dtype::i32;
  std::int64_t m = -1;     // rows of the second set; by default about half of the first
  std::string other = "";  // its fill; by default the same
  Budget budget = Budget::ci;
  Layout layout = Layout::row;
  std::int64_t second() const { return m >= 0 ? m : n / 2 + 3; }
  const std::string& second_fill() const { return other.empty() ? fill : other; }
};

// const--1 has the bits of an empty slot, the others those of the ends of int32.
const char* const kConstants[] = {"const--1", "const-0", "const-2147483647", "const--2147483648"};
const char* const kFills[] = {"sites_box",
                              "sites_batches",
                              "sites_batches-3",
                              "sites_line",
                              "sites_plane",
                              "sites_surface-1",
                              "sites_isolated",
                              "sites_isolated-7",
                              "sites_duplicates",
                              "sites_duplicates-400",
                              "sites_negative-1",
                              "sites_extremes",
                              "bits",
                              "sites_colliding"};
const char* const kWideFills[] = {"sites_negative-2", "sites_extremes", "sites_isolated-1099511627776",
                                  "sites_duplicates", "bits",           "sites_colliding"};

// Sizes about a vector, about the runs of a scan (2048) and of a thread (4096), and about a table's powers of two.
const std::int64_t kSizes[] = {0,   1,   2,   3,   7,   8,    9,    15,   17,   63,   64,  65,
                               127, 128, 255, 256, 257, 1023, 1024, 1025, 2047, 2048, 2049};

std::vector<Kind> kinds() {
  std::vector<Kind> all = {{40, "sites_negative", Dtype::i32, -1, "", Budget::smoke},
                           {30, "sites_batches-3", Dtype::i32, -1, "", Budget::smoke},
                           {33, "sites_duplicates", Dtype::i64, -1, "", Budget::smoke},
                           {9, "const--1", Dtype::i32, 2, "", Budget::smoke},
                           {0, "sites_box", Dtype::i32, 3, "", Budget::smoke}};
  for (const char* f : kFills) all.push_back({257, f});
  for (const char* f : kWideFills) all.push_back({65, f, Dtype::i64}), all.push_back({400, f, Dtype::i64});
  for (const char* f : kConstants) all.push_back({1, f}), all.push_back({50, f}), all.push_back({5, f, Dtype::i64});
  for (const std::int64_t n : kSizes) all.push_back({n, "sites_block"}), all.push_back({n, "sites_duplicates-3"});
  for (const std::int64_t m : {0, 1, 2, 512, 513}) all.push_back({20, "sites_line", Dtype::i32, m, "sites_line-5"});
  for (const Layout l : kLayouts) all.push_back({50, "sites_negative", Dtype::i32, -1, "", Budget::ci, l});
  for (const Layout l : {Layout::transposed, Layout::padded})
    all.push_back({50, "sites_duplicates", Dtype::i64, -1, "", Budget::ci, l});
  all.push_back({300, "sites_colliding", Dtype::i32, 300, "sites_colliding-200"});
  all.push_back({300, "sites_colliding", Dtype::i64, 300, "sites_colliding-200"});
  all.push_back({1331, "sites_negative"});  // a full box: every site has its own key
  all.push_back({2662, "sites_negative-1", Dtype::i32, 1331});
  all.push_back({30000, "sites_duplicates-2", Dtype::i32, 9000});
  for (const char* f : {"const--1", "sites_duplicates-400"}) all.push_back({20000, f});  // many for one slot
  all.push_back({8193, "sites_box-2", Dtype::i64, 4097});
  all.push_back({200000, "sites_surface-1", Dtype::i32, -1, "", Budget::nightly});
  return all;
}

// A case for each kind, as `make` turns it into inputs.
template <class Make>
std::vector<Case> cases_of(Make&& make) {
  std::vector<Case> all;
  for (const Kind& k : kinds()) all.push_back({make(k), {}, k.budget});
  return all;
}

using Inputs = std::vector<std::optional<Input>>;

Inputs one(const Kind& k) { return {sites(k.n, k.fill, k.dtype, k.layout)}; }
Inputs two(const Kind& k) { return {one(k)[0], sites(k.second(), k.second_fill(), k.dtype, k.layout)}; }

// Counts that are all, none and most.
const auto kCounts = [](std::int64_t n) { return List{n, 0, n - n / 8}; };

constexpr const char* kJoins[] = {"inner", "left", "right", "outer"};

void reject(std::vector<Reject>& all, Inputs in, Reason reason, const char* why, Attrs attrs = {}) {
  all.push_back({{std::move(in), std::move(attrs)}, reason, why});
}

}  // namespace

// ---- One set ----

std::vector<Case> single_cases() { return cases_of(one); }

std::vector<Case> downsample_cases() {
  std::vector<Case> all;
  const List strides[] = {{2}, {3}, {2, 3, 1}, {1}, {4, 1, 7}, {64}, {2147483647}};
  for (const Kind& k : kinds()) all.push_back({one(k), {{"stride", List{2}}}, k.budget});
  for (const List& s : strides)
    for (const Kind& k : {Kind{1331, "sites_negative"}, Kind{300, "sites_extremes"}, Kind{300, "bits"},
                          Kind{300, "sites_extremes", Dtype::i64}, Kind{300, "bits", Dtype::i64}})
      all.push_back({one(k), {{"stride", s}}, Budget::ci});
  return all;
}

std::vector<Reject> downsample_rejects() {
  std::vector<Reject> all;
  for (const List& s : {List{0, 1, 1}, List{1, 1, -2}, List{2, 2}, List{}, List{1, std::int64_t{1} << 31, 1}})
    reject(all, {sites(5, "sites_box")}, Reason::attribute, "a stride that is not one or three positive int32",
           {{"stride", s}});
  return all;
}

std::vector<Case> single_bench() {
  return {{{sites(100000, "sites_surface")}, {}},
          {{sites(100000, "sites_surface-1")}, {}},
          {{sites(200000, "sites_duplicates-4")}, {}}};
}
std::vector<Case> downsample_bench() {
  return {{{sites(100000, "sites_surface")}, {}},
          {{sites(200000, "sites_surface-1")}, {}},
          {{sites(100000, "sites_surface-1")}, {{"stride", List{3, 3, 3}}}}};
}

// ---- Two sets ----

std::vector<Case> pair_cases() { return cases_of(two); }

std::vector<Case> pair_bench() {
  return {{{sites(100000, "sites_surface"), sites(100000, "sites_surface")}, {}},
          {{sites(100000, "sites_surface-1"), sites(200000, "sites_surface-1")}, {}}};
}

// ---- Octants ----

std::vector<Case> occupancy_downsample_cases() {
  std::vector<Case> all;
  for (const Kind& k : kinds()) all.push_back({{one(k)[0], rows(k.n)}, {}, k.budget});
  for (const std::int64_t n : {1, 65, 300, 2049})
    for (const std::int64_t a : kCounts(n)) all.push_back({{sites(n, "sites_negative-1"), rows(a)}, {}, Budget::ci});
  return all;
}

std::vector<Case> occupancy_downsample_bench() {
  return {{{sites(100000, "sites_surface"), rows(100000)}, {}}, {{sites(200000, "sites_surface-1"), rows(200000)}, {}}};
}

std::vector<Case> occupancy_expand_cases() {
  std::vector<Case> all;
  for (const Kind& k : kinds()) all.push_back({{one(k)[0], rows(k.n), column(k.n, "int-255", k.layout)}, {}, k.budget});
  for (const std::int64_t n : {1, 65, 300, 2049})
    for (const std::int64_t a : kCounts(n))
      for (const char* bits : {"const-255", "const-0", "const-256", "bits"})
        all.push_back({{sites(n, "sites_negative-1"), rows(a), column(n, bits)}, {}, Budget::ci});
  return all;
}

std::vector<Case> occupancy_expand_bench() {
  return {{{sites(25000, "sites_surface"), rows(25000), column(25000, "int-255")}, {}},
          {{sites(100000, "sites_surface"), rows(100000), column(100000, "int-255")}, {}}};
}

std::vector<Case> child_cases() {
  return cases_of([](const Kind& k) { return Inputs{one(k)[0], column(k.n, "int-20", k.layout)}; });
}

std::vector<Case> child_bench() {
  return {{{sites(100000, "sites_surface"), column(100000, "int-7")}, {}},
          {{sites(200000, "sites_box"), column(200000, "int-7")}, {}}};
}

// ---- Joins ----

std::vector<Case> alignment_cases() {
  std::vector<Case> all;
  for (const char* join : kJoins) {
    const Attrs attrs{{"join", join}};
    for (const Kind& k : kinds()) {
      const bool one_sided = std::string_view(join) == "left" || std::string_view(join) == "right";
      if (k.dtype != Dtype::i32 || (one_sided && k.n > 500)) continue;
      all.push_back({{two(k)[0], rows(k.n), two(k)[1], rows(k.second())}, attrs, k.budget});
    }
    for (const std::int64_t a : kCounts(65))
      for (const std::int64_t b : kCounts(40))
        all.push_back(
            {{sites(65, "sites_duplicates-3"), rows(a), sites(40, "sites_duplicates-2"), rows(b)}, attrs, Budget::ci});
  }
  return all;
}

std::vector<Reject> alignment_rejects() {
  std::vector<Reject> all;
  const auto good = sites(5, "sites_box"), n = rows(5);
  reject(all, {good, n, good, n}, Reason::attribute, "an unknown join", {{"join", "cross"}});
  return all;
}

std::vector<Case> alignment_bench() {
  std::vector<Case> all;
  for (const char* join : {"inner", "outer"})
    all.push_back({{sites(100000, "sites_surface-1"), rows(100000), sites(100000, "sites_surface-1"), rows(100000)},
                   {{"join", join}}});
  all.push_back({{sites(200000, "sites_surface"), rows(200000), sites(100000, "sites_surface-1"), rows(100000)},
                 {{"join", "left"}}});
  return all;
}

}  // namespace plumb::coordinates
