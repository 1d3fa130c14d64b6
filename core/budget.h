// The memory that a call orders: held against what there is before it is taken, and told by the operation's name and
// in bytes where it could not be had.
#pragma once

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/op.h"

namespace plumb {

// What this process may still take: the least that the system, its control group and its own limit leave.
std::uint64_t bytes_free();

// Throws Error(memory) if that is less: "[op] memory: WHAT: N bytes, M are free". What is small is not looked up.
void require_memory(std::string_view op, const std::string& what, double bytes);

// Inputs and outputs as they are exchanged, or in the wide types of an oracle.
enum class Held { stored, wide };
double call_bytes(const Request&, Held);
void require_memory(const Request&, Held);

// An error of memory below is one of this operation, and of the route if one is named; so is an allocation that fails.
[[noreturn]] void rethrow_as_memory(const Request&, Held, std::string_view route, std::string_view what);
[[noreturn]] void rethrow_named(std::string_view op, std::string_view route, const Error&);

template <class F>
auto with_memory_named(const Request& call, Held held, std::string_view route, F&& work) {
  try {
    return work();
  } catch (const Error& e) {
    rethrow_named(call.op->name, route, e);
  } catch (const std::bad_alloc&) {
    rethrow_as_memory(call, held, route, "an allocation failed");
  } catch (const std::length_error&) {
    rethrow_as_memory(call, held, route, "an array would be longer than any can be");
  }
}

// The same, and what the call is known to need is asked for before.
template <class F>
auto with_memory(const Request& call, Held held, std::string_view route, F&& work) {
  return with_memory_named(call, held, route, [&] {
    require_memory(call, held);
    return work();
  });
}

}  // namespace plumb
