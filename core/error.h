// The one exception type. It names the op and a machine-checkable reason, so that the conformance
// suite can require that every route rejects a call for the same reason.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace plumb {

enum class Reason {
  arity,        // wrong number of inputs
  attribute,    // unknown attribute, or one with a wrong type or value
  axis,         // axis out of range or repeated
  device,       // an OpenCL call failed, a kernel did not build, no device
  domain,       // values for which the op has no result: not positive definite
  dtype,        // element type not accepted
  file,         // unreadable, truncated or hostile file
  memory,       // an allocation failed or would overflow
  query,        // unknown op, route, case or query on the command line
  rank,         // wrong number of dimensions
  shape,        // sizes that do not fit together
  unsupported,  // valid, but no such thing here
};

std::string_view name(Reason);

class Error : public std::runtime_error {
 public:
  // what() reads "[softmax] axis: 3 is out of range for rank 2".
  Error(std::string_view op, Reason reason, const std::string& detail);

  const std::string& op() const { return op_; }
  Reason reason() const { return reason_; }
  const std::string& detail() const { return detail_; }

 private:
  std::string op_, detail_;
  Reason reason_;
};

}  // namespace plumb
