// Products put together from calls of other rows: views of what there is, given to the routes of one side.
#pragma once

#include <string_view>
#include <vector>

#include "core/route.h"

namespace plumb::products {

enum class Side : bool { cpu, device };

class Pipeline {
 public:
  // planned: nothing is prepared, which is enough to ask for the order. What has no strides of its own yet, the copies
  // and results of earlier calls, lies row-major.
  explicit Pipeline(Side side, bool planned = false) : side_(side), planned_(planned) {}

  Side side() const { return side_; }
  Tensor run(std::string_view op, std::vector<Tensor> in, Attrs attrs = {});  // what it will be, once launched
  Tensor dense(const Tensor&, Dtype);                                         // a row-major copy
  Tensor as(const Tensor& t, Dtype to) { return t.dtype() == to ? t : dense(t, to); }
  void then(Job j) { jobs_.push_back(std::move(j)); }

  // All calls in turn; the result has the shape of the spec.
  Job job(const Tensor& result, const Spec&) const;

  const std::vector<std::pair<const Route*, Call>>& calls() const { return calls_; }

 private:
  Side side_;
  bool planned_;
  std::vector<std::pair<const Route*, Call>> calls_;
  std::vector<Job> jobs_;
};

// The order of the only product of a pipeline.
Order order_of_product(const Pipeline&);

Tensor reshaped(const Tensor& row_major_one, Shape);

}  // namespace plumb::products
