#include "core/error.h"

namespace plumb {

std::string_view name(Reason r) {
  switch (r) {
    case Reason::arity: return "arity";
    case Reason::attribute: return "attribute";
    case Reason::axis: return "axis";
    case Reason::device: return "device";
    case Reason::domain: return "domain";
    case Reason::dtype: return "dtype";
    case Reason::file: return "file";
    case Reason::memory: return "memory";
    case Reason::query: return "query";
    case Reason::rank: return "rank";
    case Reason::shape: return "shape";
    case Reason::unsupported: return "unsupported";
  }
  return "unknown";
}

Error::Error(std::string_view op, Reason reason, const std::string& detail)
    : std::runtime_error("[" + std::string(op) + "] " + std::string(name(reason)) + ": " + detail),
      op_(op),
      detail_(detail),
      reason_(reason) {}

}  // namespace plumb
