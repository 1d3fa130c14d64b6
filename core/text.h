// Text for people and shells, whatever it was made from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

// "; nearest: argsort, sort, argmax": at most three of the names, for a word that is none of them; "" if there are
// none.
std::string nearest(std::string_view wrong, std::vector<std::string_view> names);

// The character of UTF-8 at the front: its bytes, 0 if they are none.
std::size_t utf8_character(std::string_view, std::uint32_t& code);

// On one line, with control characters and bytes that are no UTF-8 as \n, \t or \x1b.
std::string printable(std::string_view);

// A word of a shell's command line: quoted if it must be, so that nothing in it is run or expanded. Free of control
// characters if the text is.
std::string shell_word(std::string_view);
// The same for the path of something that exists: a control character in it is left to the shell's `?`.
std::string shell_path(std::string_view);

// The shortest text that reads back as the number: "0.1", "1e-50", "inf", "nan".
std::string shortest(double);

}  // namespace plumb
