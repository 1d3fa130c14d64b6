// What sparse convolutions on the device share: the relation as tiles of output rows take it, and the rows of their
// tables. See kernels/gather.cl.
#pragma once

#include <string_view>
#include <vector>

#include "gpu/sparse/sites/relation.h"

namespace plumb::gpu {

std::int32_t small(std::int64_t);  // for an argument that kernels take as int; throws Error(memory) beyond it
inline std::int64_t rounded_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

bool given_targets(const Request&);                       // of a row that may have them
RelationKind kind_of(const Request&, RelationKind base);  // with targets, the relation to them

// Which input row each output meets under each kernel row, and the order in which tiles take the outputs. Prepared
// once: every launch hands out a copy of coordinates and counts, as it writes every output anew.
struct Support {
  BufferPtr map, order, coords, counts;
  std::int32_t spread = 0;  // no map: output i * K + k meets input i under k
  bool merged = false;      // rows that are marked have more edges than the map holds
  BufferPtr marked;
  Edges edges;
};
Support build_support(const Call&, const Geometry&, std::int64_t rows);  // on the device, at once

// Appends a kernel that computes tiles of 128 rows by 128 work-items, in panels of columns.
void add_tiles(Steps&, const Kernel&, std::int64_t rows, std::int64_t panels);
// Appends compute_rows, which lacks only what these give it: the rows that tiles leave to a plain loop, nearly always
// none; all of them if `bad`.
void add_exceptions(Steps&, Kernel, const Support&, const BufferPtr& bad, std::int64_t elements);

Order fused_chain(const Call&);
Order truncating_chain(const Call&);  // of matrix units

extern const Condition kWorthLaunch;

using Prepare = Job (*)(const Call&, const std::vector<Spec>&);
// Preferred for calls that are worth a launch and meet `prefers`; its preparation builds the relation.
Route relation_route(std::string_view op, std::string_view name, Tier, Order (*)(const Call&), Prepare,
                     std::vector<Condition> supports = {}, const std::vector<Condition>& prefers = {});

}  // namespace plumb::gpu
