// A backend: software of somebody else that answers calls from a process of its own, and is judged as a route is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/route.h"

namespace plumb {

// What went wrong with an answer.
enum class Cause : std::uint8_t {
  none,
  value,               // beyond the bound
  spec,                // another dtype, shape or number of outputs
  input_changed,       // or an attempt to write one
  out_of_bounds,       // a guard band beside an output or input was written
  unwritten,           // an element still holds what the judge poisoned it with
  unrepeatable,        // two launches differ in their bits where they must not
  raised,              // an error in place of an answer
  claims_but_refuses,  // it said that it serves the call
  accepted_invalid,    // an answer where there is none
  crashed,             // the process ended
  timeout,
  memory,    // it could not have what it asked for
  protocol,  // it said what is no answer
};
std::string_view name(Cause);  // "claims but refuses"
std::optional<Cause> cause_named(std::string_view);

// What a backend did in place of answering.
class Fault : public std::runtime_error {
 public:
  Fault(Cause cause, const std::string& what) : std::runtime_error(what), cause_(cause) {}
  Cause cause() const { return cause_; }

 private:
  Cause cause_;
};

// Where two answers to one call agree in their bits.
enum class Repeats : std::uint8_t { within_bounds, in_process, everywhere };

// How many threads it may use.
enum class Threads : std::uint8_t { one, its_own };

// What became of a call that must be refused, and was sent as it is.
struct RawAnswer {
  enum class Kind : std::uint8_t { refused, raised, accepted } kind = Kind::accepted;
  std::string reason;  // raised: the word for it, "domain"
  std::string words;   // what it said, or what it returned
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;     // of its routes
  virtual std::string_view version() const = 0;  // of the library
  virtual std::string argument() const = 0;      // what it was asked for by: "cmd:..."
  virtual std::string option() const = 0;        // " --backend 'cmd:...'", for a command line that asks it again
  virtual std::vector<const Op*> serves() const = 0;

  // Why it does not serve a call, in its words; "" if it claims to. Reads specs, strides and attributes.
  virtual std::string refuses(const Call&) = 0;
  // The same of many calls that will be asked next.
  virtual void ask_ahead(const std::vector<Call>&) = 0;
  virtual Order order(const Call&) const = 0;
  virtual std::string declared(const Op&) const = 0;  // of its order, in its words; "" for nothing
  virtual Repeats repeats(const Op&) const = 0;
  virtual Job prepare(const Call&, const std::vector<Spec>& out) = 0;
  // How many launches of the job that is prepared next can be asked for at once. More launches, or fewer, are allowed.
  virtual void expect(int launches) = 0;
  virtual RawAnswer raw(const Op&, const std::vector<Tensor>& in, const Attrs&) = 0;

  virtual void use(Threads) = 0;                // from here on
  virtual void patience(double seconds) = 0;    // for an answer, from here on; no less than it is begun with
  virtual std::vector<std::string> said() = 0;  // the last lines that it printed since the last call of this
  virtual bool audited() const = 0;             // calls that it refuses are tried too
};

// Adds its routes behind those that are there, never preferred. It stays for the life of the process. Throws
// Error(query) for a name that a route has, and for more backends than there is room for.
void install_backend(Backend&);
Backend* backend_of(const Route&);  // null for a route of this project
const std::vector<Backend*>& backends();

// For install_backend, in route.cpp: routes that come before the reference.
void install_more(std::vector<Route>);

}  // namespace plumb
