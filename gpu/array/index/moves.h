// Elements read and written by position on the device: see kernels/array/index/index.cl and combine.cl.
#pragma once

#include <functional>
#include <memory>

#include "gpu/runtime.h"
#include "plans/array/index/plan.h"

namespace plumb::gpu {

enum class Combine : std::uint8_t { set, add, prod, max, min, subtract, divide };

inline std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// What a launch enqueues, in order, and what is looked at once it is done.
class MoveSteps {
 public:
  void then(std::function<void()> f) { all_.push_back(std::move(f)); }
  void run(const Kernel&, std::int64_t items);  // in work-groups of 256
  void check_when_done(std::function<void()> f) { checks_.push_back(std::move(f)); }
  Job job(std::vector<Tensor> out);  // of these steps, which it keeps

 private:
  std::vector<std::function<void()>> all_, checks_;
};

Kernel index_kernel(const std::string& name);
Kernel index_kernel(const std::string& name, std::int64_t bytes);  // of those by element size

// The rows of a plan, as optimized/array/index/moves.h has them: the last axis if nothing but a step moves along it.
struct MovedRows {
  index::Plan plan;  // of the axes before
  index::Axis row{1, 1, 1, {}};
  std::int64_t count = 1;
  explicit MovedRows(index::Plan);
};

// An array on the device, and how its elements lie there.
struct Stored {
  BufferPtr data;
  index::Strided lies;
  std::int64_t offset = 0;  // in elements
};
Stored stored(const Tensor&);
Stored indexed(const Call&);                    // the array that a call reads; one line where it has no axis
Stored cast(MoveSteps&, const Tensor&, Dtype);  // itself, or a dense copy of that dtype
std::vector<index::Strided> dense_indices(const Request&);

// Adds the check of every index array; the job's wait throws Error(domain) for the first bad entry.
void add_check(MoveSteps&, const Call&, const index::Plan&);
// Where each row begins in the indexed array (or in the updates), in elements.
BufferPtr add_places(MoveSteps&, const Call&, const MovedRows&, std::int64_t offset);
BufferPtr add_sources(MoveSteps&, const MovedRows&, std::int64_t offset);

void add_read(MoveSteps&, const Call&, const index::Plan&, const Stored& a, Dtype, const BufferPtr& out);
void add_copy(MoveSteps&, const Stored&, const Shape& out, Dtype, const BufferPtr& to);  // repeated to that shape

Job prepare_read(const Call&, const std::vector<Spec>&);
Job prepare_update(const Call&, const std::vector<Spec>&, Combine);

// What a route of this wing asks of a call and a device.
std::vector<Condition> conditions(bool writes);
std::vector<Condition> preferences();
bool updates_fit(const Call&, const Device&);
inline constexpr Condition kDividesRight{Stage::capability, "the device does not divide f32 as IEEE 754 has it",
                                         [](const Call&, const Device& d) { return d.facts.ieee_f32; }};
inline constexpr Condition kWideUpdates{Stage::capability, "the device has no f64 arithmetic", updates_fit};

}  // namespace plumb::gpu
