// Rows that are a program over other rows (core/formula.h): the oracle runs the oracles of the steps, and what a route
// may err by is carried from step to step.
#pragma once

#include "core/formula.h"

namespace plumb::reference {

// Gives a row its oracle, rule of shapes, cost and bound from the text.
//
// The oracle hands on what the steps' oracles compute, unrounded, in binary64 (f64: as much as the oracles take of a
// number); it rounds once, at the end. A number of the text is of the type of what it meets.
//
// The bound encloses what a route may hold after each step, when it rounds every step by the step's own class and the
// route's order: low <= value <= high by the element. A step is asked at the ends of what goes into it, where its
// extremes lie, since the rows in use rise or fall in each input, or are even; what the class allows is added on both
// sides. So every step is judged on inputs as wrong as they may really be, and nothing is a first-order estimate.
Op formula_row(Op, FormulaText);

}  // namespace plumb::reference
