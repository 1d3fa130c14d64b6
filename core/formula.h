// Rows that have a formula in place of a loop: a program over other rows, and the one route that all of them have.
#pragma once

#include <string>
#include <string_view>

#include "core/program.h"
#include "core/route.h"

namespace plumb {

// The text of the program that a call is; its names are inputs and attributes of the row. Throws the row's own errors.
using FormulaText = std::string (*)(const Request&);

void set_formula(std::string_view op, FormulaText);  // by whoever makes the row
bool has_formula(std::string_view op);
Program program_of(const Request&);

// What each input of the program is, of a list that has one entry for each input of the row.
template <class T>
std::vector<T> program_inputs(const Program& p, const Request& r, const std::vector<T>& of_row) {
  std::vector<T> out;
  for (const std::string& name : p.inputs) out.push_back(of_row.at(r.index(name)));
  return out;
}

std::vector<Spec> formula_infer(const Request&);
Cost formula_cost(const Call&);  // operations of the steps, traffic of the call itself

// The schedule `eager`: each step in turn on its natural route, its result stored before the next one. `device`: one
// without a tier takes CPU routes; else a route of the device wherever one takes the step. The order is that of the
// steps: where two of them differ, what allows for both.
Job eager(const Call&, const Device& device);
Order eager_order(const Call&, const Device& device);

}  // namespace plumb
