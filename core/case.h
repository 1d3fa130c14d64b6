// A test case is a description, not data: small enough to print, and enough to rebuild every bit.
//
// One string is the case's name in `list`, in a failure, in CTest, in the JSON and the argument of
// `plumb repro`:
//
//   OP/INPUT+INPUT+.../ATTRS      matmul/f32.33x65.transposed.int-3+f32.65x17.row.int-3/-
//   INPUT   dtype.shape.layout.fill, or "none" for an optional input that is not given
//   shape   3x5; "s" for a scalar
//   ATTRS   name=value,...; "-" if all are defaults
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/attrs.h"
#include "core/error.h"
#include "core/tensor.h"

namespace plumb {

struct Op;

// How an input lies in memory. Oracles never see it; routes must cope with all of them.
enum class Layout : std::uint8_t {
  row,         // dense, row-major
  transposed,  // axes stored in reverse order
  stepped,     // every second element of the last axis
  offset,      // starts inside a larger storage
  reversed,    // negative stride on the last axis
  broadcast,   // stride 0 on the first axis
  padded,      // rows further apart than they are long
  rotated,     // the first axis stored last: unlike a reversal, no permutation that undoes itself from rank 3 on
};
std::string_view name(Layout);

struct Input {
  Dtype dtype = Dtype::f32;
  Shape shape;
  Layout layout = Layout::row;
  std::string fill = "uniform";  // a name of fill.h, with its parameter: "int-3", "const-17"
};

enum class Budget : std::uint8_t { smoke, ci, nightly };  // increasing; a case runs in its own and later ones
std::string_view name(Budget);

struct Case {
  std::vector<std::optional<Input>> in;  // one per input name of the row, trailing ones may be missing
  Attrs attrs;
  Budget budget = Budget::ci;
  std::string reason = {};  // why it is tried, where the row says so
};

// A call that must be refused: while it is made, or (reason domain) when it runs, on every route.
struct Reject {
  Case call;
  Reason reason;
  std::string why;  // what is wrong with it, for the reader
};

std::string id(const Op&, const Case&);
struct Parsed {
  const Op* op;
  Case call;
};
Parsed parse_case(std::string_view id);  // throws Error(query); the inverse of id()
Case parse_call(std::string_view call);  // the same without the op: INPUTS/ATTRS

// Deterministic in (id, salt): the values depend on the case id, the input's position, the salt and
// the logical index only, never on the layout.
std::vector<Tensor> realize(const Op&, const Case&, std::uint64_t salt = 0);

// The same shapes and strides with zeros: for questions of dispatch that do not read data.
std::vector<Tensor> hollow(const Case&);

// For every rank; rotated is for rank 3 and more, below it is one of these.
inline constexpr Layout kLayouts[] = {Layout::row,      Layout::transposed, Layout::stepped, Layout::offset,
                                      Layout::reversed, Layout::broadcast,  Layout::padded};

}  // namespace plumb
