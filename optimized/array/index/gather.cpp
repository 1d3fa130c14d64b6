// Reading by position: rows of what the index arrays point at, shared out among threads.
#include "optimized/array/index/moves.h"

namespace plumb {
namespace {

void read(const Call& c, std::vector<Tensor>& out) {
  const Tensor a = cpu::indexed(c);
  const index::Plan plan = index::reading(c, index::strided(a), cpu::index_arrays(c));
  cpu::check_positions(c, plan);
  cpu::read_rows(cpu::MovedRows(c, plan), a.read<std::byte>(), info(a.dtype()).bytes, out[0].write<std::byte>());
}

}  // namespace

std::vector<Route> gather_cpu_routes() {
  std::vector<Route> all;
  for (const char* op : {"take", "take_scalar", "take_along_axis", "gather"}) {
    Route r;
    r.op = op;
    r.name = "cpu.rows";
    r.prepare = host<read>;
    all.push_back(std::move(r));
  }
  return all;
}

}  // namespace plumb
