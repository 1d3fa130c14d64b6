// Arithmetic on whole numbers and words, as it stands in the braces of a pattern: {m*2}, {n>64?n/2:n}, {l=='row'}.
//
//   condition ? a : b      ||  &&      == != < <= > >=      + -      * / %      - !      ( )
//
// with the precedence of C. A value is a word; sums and orders need whole numbers, and a condition is 0, an empty word
// or anything else. 'text' is that text, a name the value that it has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb::pattern {

struct Names {
  virtual std::string operator()(std::string_view name) = 0;

 protected:
  ~Names() = default;
};

bool is_name(std::string_view);

// Throws Error(query): form, overflow, a division by 0, a word where a number is needed. What a condition does not
// choose is not evaluated.
std::string evaluate(std::string_view expression, Names&);
void check_expression(std::string_view);  // its form alone
std::vector<std::string> names_in(std::string_view expression);

}  // namespace plumb::pattern
