// A program: a small graph whose steps are calls of rows, written as text.
//
//   d = predictions - targets; out = mean(square(d), axis=none)
//
//   program     statement, ";" between
//   statement   name = sum        or name, name = call, for a row of several outputs
//   sum         products with + or - between, product: factors with * or / between, factor: - factor or one of
//               2  0.5  1e-6      a number, of the type of what it meets in a step
//               x                 what a statement named, an attribute that is a number, else an input of the program
//               f(x, y, axis=1)   a row by name: inputs in its order, then attributes by name
//               flag ? a : b      by an attribute that is true or false; the other branch is read and left out
//               (sum)
//
// + - * / and unary - are the rows add, subtract, multiply, divide and negative; of two numbers they are a number. A
// called row takes over the attributes of the program that it has too (axis), and reductions keep their dims
// (keepdims=true), unless the call says otherwise; `axis=name` gives it an attribute of the program. There are no
// loops, no shapes and nothing else.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"

namespace plumb {

inline constexpr int kInput = -1, kNumber = -2;

struct Value {
  int step = kInput;  // an earlier step, kInput or kNumber
  int output = 0;     // which of its outputs, of the inputs, of the numbers
  bool operator==(const Value&) const = default;
};

struct Number {
  double value = 0;
  bool whole = false;  // leaves integers what they are
  bool operator==(const Number&) const = default;
};

struct Program {
  struct Step {
    const Op* op = nullptr;
    Attrs attrs;
    std::vector<Value> in;
    std::vector<std::string> names;  // of the outputs that a statement named; none inside an expression
    bool operator==(const Step& s) const { return op == s.op && attrs == s.attrs && in == s.in; }
  };

  std::string name;                 // in messages
  std::vector<std::string> inputs;  // in the order in which the text asks for them
  std::vector<Number> numbers;
  std::vector<Step> steps;
  std::vector<Value> outputs;
  // Names of statements and of the program itself mean nothing.
  bool operator==(const Program& p) const {
    return inputs == p.inputs && numbers == p.numbers && steps == p.steps && outputs == p.outputs;
  }
};

// `attrs`: what names stand for beside inputs. `outputs`: names of statements; none: what the last one named.
// Throws Error(query) with the column for what the grammar does not allow, for a row that is not there, and for too
// many inputs; Error(attribute) for an attribute that the row does not have.
Program parse_program(std::string_view text, std::string_view name = "program", const Attrs& attrs = {},
                      const std::vector<std::string>& outputs = {});

// One statement for each step, with all that the row is given: parse_program(text(p)) == p where the last statement is
// the output.
std::string text(const Program&);
std::string text(const Program&, std::size_t step);  // "y = inv(a)"

// Runs f in the name of a step: an error of f tells it, "[inv] domain: ... (step 3 of mlp_step: y = inv(a))".
void in_step(const Program&, std::size_t step, const std::function<void()>& f);

// The type of the numbers among what a step takes, from the types of the rest.
Dtype number_dtype(const std::vector<Dtype>& others, const Number&);

// Takes each step with what the steps before it gave: T is what a value is (a spec, a tensor), number(n, dtype) makes
// one of a number, step(i, its inputs) those of a step.
template <class T, class MakeNumber, class TakeStep>
std::vector<T> follow(const Program& p, const std::vector<T>& inputs, MakeNumber number, TakeStep step) {
  std::vector<std::vector<T>> values;
  const auto known = [&](Value v) -> const T& {
    return v.step == kInput ? inputs.at(static_cast<std::size_t>(v.output))
                            : values.at(static_cast<std::size_t>(v.step)).at(static_cast<std::size_t>(v.output));
  };
  for (std::size_t i = 0; i < p.steps.size(); ++i)
    in_step(p, i, [&] {
      std::vector<Dtype> others;
      for (const Value v : p.steps[i].in)
        if (v.step != kNumber) others.push_back(dtype_of(known(v)));
      std::vector<T> in;
      for (const Value v : p.steps[i].in)
        if (v.step != kNumber) {
          in.push_back(known(v));
        } else {
          const Number& n = p.numbers.at(static_cast<std::size_t>(v.output));
          in.push_back(number(n, number_dtype(others, n)));
        }
      values.push_back(step(i, in));
    });
  std::vector<T> out;
  for (const Value v : p.outputs) out.push_back(known(v));
  return out;
}

inline Dtype dtype_of(const Spec& s) { return s.dtype; }
inline Dtype dtype_of(const Tensor& t) { return t.dtype(); }

// The specs of the outputs, by the rows' own rules, step by step. Throws what they throw, with the step.
std::vector<Spec> infer(const Program&, const std::vector<Spec>& inputs);

}  // namespace plumb
