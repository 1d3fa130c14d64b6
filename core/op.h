// What an operation *is*. One row per op; everything else in the repository is derived from it.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/attrs.h"
#include "core/case.h"
#include "core/error.h"
#include "core/listed.h"
#include "core/tensor.h"
#include "core/tolerance.h"

namespace plumb {

struct Fill;
struct Op;
struct Letters;  // core/signature.h: what the letters of a signature stand for in a call
struct Signature;
enum class CountRule : std::uint8_t;  // leading, parts, wish

// What is known before any data exists: enough for shape inference, hence for lazy evaluation.
// Already checked: the inputs fit the signature, attribute names are valid and defaults are filled in.
struct Request {
  const Op* op = nullptr;
  std::vector<std::optional<Spec>> specs;  // one per input name of the row; empty if not given
  Attrs attrs;
  std::shared_ptr<const Letters> letters = nullptr;  // of the signature, for these inputs

  bool has(std::size_t i) const { return i < specs.size() && specs[i].has_value(); }
  bool has(std::string_view input) const { return has(index(input)); }
  std::size_t index(std::string_view input) const;  // position of a named input
  const Spec& spec(std::size_t i) const { return specs.at(i).value(); }
  const Shape& shape(std::size_t i) const { return spec(i).shape; }
  Dtype dtype(std::size_t i) const { return spec(i).dtype; }
  int rank(std::size_t i) const { return static_cast<int>(shape(i).size()); }

  std::int64_t size(char letter) const;  // what the letter of the signature stands for; 0 if no input says
  // The outputs of the signature, with sizes of letters that it leaves open. Throws Error(shape) for one that an input
  // gives otherwise.
  std::vector<Spec> outputs(std::initializer_list<std::pair<char, std::int64_t>> given = {}) const;

  // Attributes by name and type; a wrong type or a missing value throws Error(attribute).
  bool none(std::string_view attr) const;
  std::int64_t integer(std::string_view attr) const;
  double number(std::string_view attr) const;  // an integer is a number too
  bool flag(std::string_view attr) const;
  const std::string& text(std::string_view attr) const;
  std::vector<std::int64_t> list(std::string_view attr) const;  // an integer is a list of one
  std::vector<double> numbers(std::string_view attr) const;     // so is a number; integers are numbers
  std::optional<Dtype> dtype_attr(std::string_view attr) const;
  // In [0, rank); throws Error(axis).
  std::int64_t axis(std::string_view attr = "axis", std::size_t input = 0) const;
  // Sorted and distinct; none means all. Throws Error(axis).
  std::vector<std::int64_t> axes(std::string_view attr = "axis", std::size_t input = 0) const;

  [[noreturn]] void fail(Reason, const std::string& detail) const;
};

// A request with its data: what oracles and routes run on.
struct Call : Request {
  std::vector<Tensor> in;  // undefined where not given
  const Tensor& operator[](std::size_t i) const { return in.at(i); }
  const Tensor& operator[](std::string_view input) const { return in.at(index(input)); }
};

using Infer = std::vector<Spec> (*)(const Request&);  // of each output; throws Error
using Oracle = std::vector<Wide> (*)(const Call&);    // each output, of the shape that output_specs says

struct Cost {
  double flops = 0;  // useful operations of the definition, not of a route
  double bytes = 0;  // compulsory traffic: each input once, each output once
};

// A smaller call whose result is a part of a large one's, so that a large result can be verified in part
// by the same oracle: rows and columns of a product, lines of a transform.
struct Spot {
  Call call;
  std::function<std::vector<Tensor>(const std::vector<Tensor>& out)> pick;  // that part of the large outputs
  double growth = 1;  // normwise class: by how much the norm of the whole may exceed that of the part
};

// About n evenly spaced positions of one axis, from a first one that `key` chooses: a view. The same key picks
// the same positions of every tensor with that extent.
Tensor spaced(const Tensor&, int axis, std::int64_t n, std::uint64_t key);

// An input that counts rows of another one, axis 0: what `counts`, `parts` and `wishes` of a signature say. make_call
// holds its values against the rows that there are, so that no oracle and no route meets a count that is negative or
// beyond them.
struct RowCount {
  std::string_view count, of;  // names of inputs, without the mark of an optional one
  CountRule rule = {};         // leading
};

struct Op {
  std::string_view name;                       // "softmax"
  std::string signature = {};                  // "a T[*S], bias? T[] -> out T[*S]"; core/signature.h says all of it
  std::string types = {};                      // "T: f16 f32"
  std::vector<std::string_view> inputs = {};   // "x", "bias?" (optional)
  std::vector<RowCount> row_counts = {};       // every input that is a count of rows
  std::vector<std::string_view> outputs = {};  // "out"
  Attrs attrs;                                 // names and defaults; a call may set no others
  std::vector<Dtype> dtypes = {};              // accepted for the first input
  std::string_view equation;                   // plain text, the definition that the oracle transcribes
  std::string_view meaning = "";               // which meaning is adopted where sources disagree, one line
  bool host_only = false;                      // serial by its nature: no device routes
  Infer infer = nullptr;                       // what letters cannot say: errors, sizes; null: r.outputs()
  Oracle oracle = nullptr;                     // naive, wide, obviously right
  Cases cases = {};                            // inputs worth trying
  std::vector<Fill> (*fills)() = nullptr;      // that the cases of its family need beside those of core
  Rejects rejects = {};                        // calls that must be refused, each with its reason
  Cases bench = {};                            // sizes worth timing
  Cost (*cost)(const Call&) = nullptr;         // null: no flops, bytes of inputs and outputs
  Tolerance tolerance;                         // how far a route may stray, as a class

  // Sparse ops: how many leading rows of each output are active, from the counts among the outputs;
  // -1 for all. Rows beyond are unspecified and never compared. Null: everything is active.
  std::vector<std::int64_t> (*active)(const Call&, const std::vector<Tensor>& out) = nullptr;

  // Sizes worth timing are too large for the oracle: verify there by spots, drawn from `key`. Null: in full.
  std::optional<Spot> (*spot)(const Call&, std::uint64_t key) = nullptr;

  // Recorded corpora: the op's name there if it differs, and whether a recorded call is this op
  // (it may drop attributes that only select the op). Null: every call of that name.
  std::string_view corpus = "";
  bool (*corpus_call)(Attrs&) = nullptr;

  std::shared_ptr<const Signature> parsed = nullptr;  // by install(), which fills the four lists above from it

  std::string_view corpus_name() const { return corpus.empty() ? name : corpus; }
};

// Validates and completes: the single gate through which every oracle and route is reached.
// Inputs stand in the row's order; one that is left out is undefined, or missing at the end. Throws Error of arity,
// attribute, axis, dtype, rank, shape or memory for what signature or infer do not allow; by name: (query) for no such
// op. make_call reads counts of rows that hold data, and throws Error(domain) for one that is negative or beyond them.
Request make_request(const Op&, std::vector<std::optional<Spec>> in, Attrs attrs = {});
std::vector<Spec> output_specs(const Request&);
Call make_call(const Op&, std::vector<Tensor> in, Attrs attrs = {});
Call make_call(std::string_view op, std::vector<Tensor> in, Attrs attrs = {});
void check_counts(const Call&);  // once more, for whoever reads inputs that a route has had in its hands

std::string_view input_name(std::string_view input);  // of a row, without the mark of an optional one

std::vector<Tensor> active(const Call&, const std::vector<Tensor>& out);  // the active leading rows
Cost cost(const Call&);            // what the row says, else no flops and the bytes of all inputs and outputs
double input_bytes(const Call&);   // each input once
double output_bytes(const Call&);  // each output once, all rows of room

}  // namespace plumb

extern template class std::vector<plumb::Op>;  // in op.cpp
