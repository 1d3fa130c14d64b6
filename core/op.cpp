#include "core/op.h"

#include <algorithm>

#include "core/budget.h"
#include "core/infinity.h"
#include "core/route.h"
#include "core/signature.h"
#include "core/text.h"

namespace plumb {
namespace {

double bytes_of(const Spec& s) { return static_cast<double>(count(s.shape)) * info(s.dtype).bytes; }

bool optional(std::string_view input) { return input.ends_with('?'); }

template <class T>
const T& typed(const Request& r, std::string_view attr, const char* type) {
  const Attr* a = r.attrs.find(attr);
  if (!a) r.fail(Reason::attribute, "'" + std::string(attr) + "' is not an attribute");
  if (const T* value = a->get<T>()) return *value;
  r.fail(Reason::attribute, "'" + std::string(attr) + "' must be " + type + ", got " + to_string(*a));
}

// Inputs that come together are neighbours.
void check_groups(const Request& r, const std::vector<Parameter>& inputs) {
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (inputs[i].group > 0 && inputs[i].group == inputs[i - 1].group && r.has(i) != r.has(i - 1))
      r.fail(Reason::arity, "inputs '" + inputs[i - 1].name + "' and '" + inputs[i].name + "' come together");
}

void check_arity(const Request& r) {
  const auto& names = r.op->inputs;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!optional(names[i]) && !r.has(i)) r.fail(Reason::arity, "input '" + std::string(names[i]) + "' is missing");
  if (r.specs.size() > names.size())
    r.fail(Reason::arity,
           "takes at most " + std::to_string(names.size()) + " inputs, got " + std::to_string(r.specs.size()));
  if (r.op->parsed) check_groups(r, r.op->parsed->inputs);
}

void check_dtype(const Request& r) {
  const auto& accepted = r.op->dtypes;
  if (accepted.empty() || !r.has(0)) return;
  if (std::find(accepted.begin(), accepted.end(), r.dtype(0)) == accepted.end())
    r.fail(Reason::dtype,
           "'" + std::string(input_name(r.op->inputs[0])) + "' cannot be " + std::string(name(r.dtype(0))));
}

std::int64_t normal_axis(const Request& r, std::int64_t axis, std::size_t input) {
  const std::int64_t rank = r.rank(input);
  if (axis < -rank || axis >= rank)
    r.fail(Reason::axis, std::to_string(axis) + " is out of range for rank " + std::to_string(rank));
  return axis < 0 ? axis + rank : axis;
}

// "[conv3d] domain: input 'active_rows' is 25, but 'coords' has 20 rows"; `told`: " is 25".
[[noreturn]] void miscounts(const Call& call, const RowCount& c, const std::string& told) {
  call.fail(Reason::domain, "input '" + std::string(c.count) + "'" + told + ", but '" + std::string(c.of) + "' has " +
                                std::to_string(call.shape(call.index(c.of))[0]) + " rows");
}

void check_count(const Call& call, const RowCount& c) {
  if (!call.has(c.count) || !call.has(c.of)) return;
  const Tensor& t = call[c.count];
  if (t.size() > 0 && !t.storage().written()) return;  // a question of dispatch: there is nothing to read yet
  const std::int64_t rows = call.shape(call.index(c.of))[0];
  const Wide wide = widen(t);
  const Integers& n = integers(wide);
  const std::int64_t read = c.rule == CountRule::leading ? 1 : n.size();
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < read; ++i) {
    total += n[i];
    const bool beyond = c.rule != CountRule::wish && n[i] > rows;
    if (n[i] < 0 || beyond)
      miscounts(call, c, " is " + std::to_string(n[i]) + (n.size() > 1 ? " at " + std::to_string(i) : ""));
  }
  if (c.rule == CountRule::parts && total != rows) miscounts(call, c, " adds up to " + std::to_string(total));
}

// What is given is a truth value, a word or a number if the default is one.
void check_type(const Request& r, std::string_view attr, const Attr& fallback) {
  if (fallback.get<bool>()) (void)r.flag(attr);
  if (fallback.get<std::string>()) (void)r.text(attr);
  if (fallback.get<double>()) (void)r.number(attr);
}

}  // namespace

std::string_view input_name(std::string_view input) {
  return optional(input) ? input.substr(0, input.size() - 1) : input;
}

std::size_t Request::index(std::string_view input) const {
  for (std::size_t i = 0; i < op->inputs.size(); ++i)
    if (input_name(op->inputs[i]) == input) return i;
  fail(Reason::arity, "has no input '" + std::string(input) + "'");
}

bool Request::none(std::string_view attr) const {
  const Attr* a = attrs.find(attr);
  return !a || a->none();
}

std::int64_t Request::integer(std::string_view a) const { return typed<std::int64_t>(*this, a, "an integer"); }
bool Request::flag(std::string_view a) const { return typed<bool>(*this, a, "true or false"); }
const std::string& Request::text(std::string_view a) const { return typed<std::string>(*this, a, "a name"); }

double Request::number(std::string_view attr) const {
  const Attr* a = attrs.find(attr);
  if (a) {
    if (const auto* i = a->get<std::int64_t>()) return static_cast<double>(*i);
    if (const auto* word = a->get<std::string>())
      if (const auto value = infinity_named(*word)) return *value;
  }
  return typed<double>(*this, attr, "a number");
}

std::vector<std::int64_t> Request::list(std::string_view attr) const {
  const Attr* a = attrs.find(attr);
  if (a)
    if (const auto* i = a->get<std::int64_t>()) return {*i};
  return typed<std::vector<std::int64_t>>(*this, attr, "a list of integers");
}

std::vector<double> Request::numbers(std::string_view attr) const {
  const Attr* a = attrs.find(attr);
  if (a && (a->get<double>() || a->get<std::int64_t>() || a->get<std::string>())) return {number(attr)};
  if (a)
    if (const auto* integers = a->get<std::vector<std::int64_t>>()) return {integers->begin(), integers->end()};
  return typed<std::vector<double>>(*this, attr, "a list of numbers");
}

std::optional<Dtype> Request::dtype_attr(std::string_view attr) const {
  if (none(attr)) return std::nullopt;
  const auto t = dtype_named(text(attr));
  if (!t) fail(Reason::attribute, "'" + std::string(attr) + "' names no dtype: " + text(attr));
  return t;
}

std::int64_t Request::axis(std::string_view attr, std::size_t input) const {
  return normal_axis(*this, integer(attr), input);
}

std::vector<std::int64_t> Request::axes(std::string_view attr, std::size_t input) const {
  std::vector<std::int64_t> out;
  if (none(attr)) {
    for (std::int64_t i = 0; i < rank(input); ++i) out.push_back(i);
    return out;
  }
  for (const std::int64_t a : list(attr)) out.push_back(normal_axis(*this, a, input));
  std::sort(out.begin(), out.end());
  const auto twice = std::adjacent_find(out.begin(), out.end());
  if (twice != out.end()) fail(Reason::axis, std::to_string(*twice) + " is named twice");
  return out;
}

void Request::fail(Reason reason, const std::string& detail) const { throw Error(op->name, reason, detail); }

std::int64_t Request::size(char letter) const {
  const Letters::Size* known = letters->size(letter);
  return known ? known->value : 0;
}

std::vector<Spec> Request::outputs(std::initializer_list<std::pair<char, std::int64_t>> given) const {
  Letters all = *letters;
  for (const auto& [letter, value] : given) give(op->name, *op->parsed, specs, all, letter, value);
  Reduction reduced;
  if (const std::string& over = op->parsed->over; !over.empty()) {
    reduced.axes = axes(over);
    reduced.keep = attrs.find("keepdims") && flag("keepdims");
  }
  return outputs_of(op->name, *op->parsed, all, reduced);
}

std::vector<Spec> output_specs(const Request& r) { return r.op->infer ? r.op->infer(r) : r.outputs(); }

Request make_request(const Op& op, std::vector<std::optional<Spec>> in, Attrs attrs) {
  Request r{&op, std::move(in), op.attrs};
  const Attrs given = std::move(attrs);
  for (const auto& [key, value] : given) {
    const Attr* fallback = op.attrs.find(key);
    if (!fallback) {
      std::vector<std::string_view> names;
      for (const auto& [known, unused] : op.attrs) names.push_back(known);
      r.fail(Reason::attribute, "'" + key + "' is not an attribute" + nearest(key, std::move(names)));
    }
    // A case id writes the word none as it writes that nothing is given.
    const bool word = value.none() && fallback->get<std::string>();
    r.attrs.set(key, word ? Attr("none") : value);
  }
  for (const auto& [key, fallback] : op.attrs) check_type(r, key, fallback);
  check_arity(r);
  r.specs.resize(op.inputs.size());
  if (op.parsed) r.letters = std::make_shared<const Letters>(match(op.name, *op.parsed, r.specs));
  else check_dtype(r);
  // A row with an `infer` says there what its axis counts: that of the result, of a flattened array, one twice.
  if (!op.infer && !r.none("axis") && r.has(0)) (void)r.axes("axis");
  return r;
}

Call make_call(const Op& op, std::vector<Tensor> in, Attrs attrs) {
  std::vector<std::optional<Spec>> specs;
  for (const Tensor& t : in) specs.push_back(t.defined() ? std::optional(t.spec()) : std::nullopt);
  Call call{make_request(op, std::move(specs), std::move(attrs)), std::move(in)};
  call.in.resize(op.inputs.size());
  try {
    (void)output_specs(call);  // raises every remaining user error of shapes
    check_counts(call);
  } catch (const Error& e) {
    rethrow_named(op.name, "", e);
  }
  return call;
}

void check_counts(const Call& call) {
  for (const RowCount& c : call.op->row_counts) check_count(call, c);
}

Call make_call(std::string_view op, std::vector<Tensor> in, Attrs attrs) {
  return make_call(find_op(op), std::move(in), std::move(attrs));
}

std::vector<Tensor> active(const Call& call, const std::vector<Tensor>& out) {
  if (!call.op->active) return out;
  const std::vector<std::int64_t> rows = call.op->active(call, out);
  std::vector<Tensor> trimmed = out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (rows.at(i) < 0) continue;
    Shape shape = out[i].shape();
    if (rows[i] > shape.at(0))
      call.fail(Reason::shape, "output '" + std::string(call.op->outputs[i]) + "' claims " + std::to_string(rows[i]) +
                                   " active rows of " + std::to_string(shape[0]));
    shape[0] = rows[i];
    trimmed[i] = out[i].view(shape, out[i].strides());
  }
  return trimmed;
}

Tensor spaced(const Tensor& t, int axis, std::int64_t n, std::uint64_t key) {
  const auto d = static_cast<std::size_t>(axis < 0 ? axis + t.rank() : axis);
  Shape shape = t.shape();
  Strides strides = t.strides();
  if (shape[d] <= n) return t;
  const std::int64_t step = shape[d] / n, first = static_cast<std::int64_t>(key % static_cast<std::uint64_t>(step));
  const std::int64_t offset = first * strides[d];
  shape[d] = n;
  strides[d] *= step;
  return t.view(shape, strides, offset);
}

Cost cost(const Call& call) {
  if (call.op->cost) return call.op->cost(call);
  return {0, input_bytes(call) + output_bytes(call)};
}

double input_bytes(const Call& call) {
  double bytes = 0;
  for (const auto& s : call.specs)
    if (s) bytes += bytes_of(*s);
  return bytes;
}

double output_bytes(const Call& call) {
  double bytes = 0;
  for (const Spec& s : output_specs(call)) bytes += bytes_of(s);
  return bytes;
}

}  // namespace plumb

template class std::vector<plumb::Op>;
