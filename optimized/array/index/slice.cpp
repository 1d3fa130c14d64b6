// Windows of an array read and written: rows of them, shared out among threads.
#include "core/with_last.h"
#include "optimized/array/index/moves.h"

namespace plumb {
namespace {

void read(const Call& c, std::vector<Tensor>& out) {
  const index::Plan plan = index::reading(c, index::strided(c[0]), cpu::index_arrays(c));
  cpu::check_positions(c, plan);
  cpu::read_rows(cpu::MovedRows(c, plan), c[0].read<std::byte>(), info(c.dtype(0)).bytes, out[0].write<std::byte>());
}

template <Combine how>
void write(const Call& c, std::vector<Tensor>& out) {
  cpu::update(c, out, how);
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = "cpu.rows";
  r.order = index::once;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> slice_cpu_routes() {
  return {route("slice", host<read>),
          route("slice_update", host<write<Combine::set>>),
          route("slice_update_add", host<write<Combine::add>>),
          route("slice_update_prod", host<write<Combine::prod>>),
          route("slice_update_subtract", host<write<Combine::subtract>>),
          route("slice_update_divide", host<write<Combine::divide>>),
          route("slice_update_max", host<write<Combine::max>>),
          route("slice_update_min", host<write<Combine::min>>),
          route("slice_dynamic", host<read>),
          route("slice_update_dynamic", host<write<Combine::set>>)};
}

}  // namespace plumb
