// The signature of an operation: shapes and element types of its inputs and outputs, one line of text that its row
// states, read once when the row is installed. Checks, output shapes, rejections and docs/ops.md follow from it.
//
//   features T[N,A], weight T[C,A], bias? U[C] -> out P[N,C]
//   T, U: f16 f32; P = promote(T, U)
//
//   parameter   name type[axes], commas between; `name?` may be left out; `(a .., b ..)?` come together or not at all
//   type        a dtype, or a capital letter that the second line declares
//   axes        4    that size                      N    a letter stands for one size wherever it is
//               M?   an axis that may be missing    *B   any number of axes, the same ones wherever it is
//               ...  axes that broadcast by NumPy's rule, first of all
//               N,A | A   either; inputs with such a choice all take the same one
//   only of outputs    N+M, 8N, S+1   sums of letters and numbers; a letter that no input has is what `infer` gives
//                      ... over axis  the broadcast axes without those that the attribute names, 1 under `keepdims`
//   after an input     counts N   its first entry is a number of leading rows of N (see RowCount for all three)
//                      parts N    its entries are the rows of parts that are all N       wishes N
//   types       N+M < 2^31  else an error of memory: rows are numbered in 31 bits.   T: a b c  one of these; the words
//   all, integers, floats stand for several. P = f(T, ..) follows, f one
//               of promote, float (at_least_float), accumulator, part (f32 of c64) and number (u8 of bool), over what
//               is given; with ": a b" it must be one
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"

namespace plumb {

struct Axis {
  enum class Kind : std::uint8_t { size, maybe, pack, broadcast, reduced };
  using Term = std::pair<std::int64_t, char>;  // factor, letter
  Kind kind = Kind::size;
  char letter = 0;            // of a maybe or a pack; of a size that is a letter alone
  std::int64_t constant = 0;  // a size is constant + sum of the terms
  std::vector<Term> terms;
};
using Axes = std::vector<Axis>;

// An input that counts rows of another one. make_call holds its values against the rows that there are.
enum class CountRule : std::uint8_t {
  leading,  // its first entry: how many leading rows are active
  parts,    // each entry: the rows of one part; the parts follow each other and are all the rows
  wish,     // each entry: how many rows are asked for; more than there are means all
};

struct Parameter {
  std::string name;          // without the mark of an optional one
  std::string marked;        // with it
  std::size_t group = 0;     // those of one number other than 0 come together
  char variable = 0;         // its type letter, or 0
  Dtype dtype = Dtype::f32;  // its type, if there is no letter
  std::vector<Axes> shapes;  // the choices
  std::string text;          // "[N,A]"
  CountRule rule = CountRule::leading;
  char counts = 0;  // the letter whose rows it counts, or 0

  bool optional() const { return marked.size() > name.size(); }
};

struct TypeRule {
  enum class Follows : std::uint8_t { nothing, promote, at_least_float, accumulator, part, number };
  char letter = 0;
  Follows follows = Follows::nothing;
  std::string from;             // letters
  std::vector<Dtype> accepted;  // of a type that follows: empty if any will do
  std::string words;            // "f16 or f32"
};

// A sum of sizes that must be below 2^31.
struct SizeLimit {
  std::string text;  // "N+M"
  std::vector<Axis::Term> terms;
};

struct Signature {
  std::string text, types;
  std::vector<Parameter> inputs, outputs;
  std::vector<TypeRule> rules;
  std::vector<SizeLimit> limits;
  std::string over;  // the attribute of "... over"

  const TypeRule* rule(char letter) const;  // null if it has none
};

// Throws std::logic_error with the column and what is wrong there.
Signature parse_signature(std::string_view text, std::string_view types);

// What the letters of a signature stand for in one call, each with the input that said so first.
struct Letters {
  struct Size {
    char letter;
    std::int64_t value;
    const Parameter* from;  // null: `infer`
  };
  struct Type {
    char letter;
    Dtype value;
    const Parameter* from;  // null: it follows from others
  };
  struct Pack {
    char letter;
    Shape value;
    const Parameter* from;
  };
  std::vector<Size> sizes;
  std::vector<Type> types;
  std::vector<Pack> packs;
  Shape broadcast;
  std::size_t choice = 0;  // of inputs whose axes are a choice

  const Size* size(char letter) const;  // null if it stands for nothing
  const Type* type(char letter) const;
  const Pack* pack(char letter) const;
};

using Specs = std::vector<std::optional<Spec>>;

// The choice that a rank fits, or none.
std::optional<std::size_t> choice_of(const Parameter&, std::size_t rank);

// The input whose first axis the letter is, or null.
const Parameter* counted(const Signature&, char letter);

// Throws Error(dtype), Error(rank) or Error(shape), in this order, for inputs that do not fit.
Letters match(std::string_view op, const Signature&, const Specs&);

// Throws Error(shape) if the letter stands for another size.
void give(std::string_view op, const Signature&, const Specs&, Letters&, char letter, std::int64_t size);

struct Reduction {
  std::vector<std::int64_t> axes;  // sorted
  bool keep = false;
};
std::vector<Spec> outputs_of(std::string_view op, const Signature&, const Letters&, const Reduction&);

Dtype accumulator(Dtype);  // what a sum is given in: integers below 32 bits and bool widen to i32 or u32

}  // namespace plumb
