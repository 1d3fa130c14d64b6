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

// An error of memory below is one of this operation; so is an allocation that fails.
[[noreturn]] void rethrow_as_memory(const Request&, Held, std::string_view what);
[[noreturn]] void rethrow_named(std::string_view op, const Error&);

template <class F>
auto with_memory(const Request& call, Held held, F&& work) {
  try {
    require_memory(call, held);
    return work();
  } catch (const Error& e) {
    rethrow_named(call.op->name, e);
  } catch (const std::bad_alloc&) {
    rethrow_as_memory(call, held, "an allocation failed");
  } catch (const std::length_error&) {
    rethrow_as_memory(call, held, "an array would be longer than any can be");
  }
}

}  // namespace plumb
