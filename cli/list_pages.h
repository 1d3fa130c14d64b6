// The pages under docs/ that say what every operation is, made of the rows.
#pragma once

#include <string>

#include "core/op.h"

namespace plumb::cli {

std::string entry(const Op&);                 // Markdown: a heading and what follows it
void write_pages(const std::string& folder);  // ops.md and ops/<wing>.md; throws Error(file)

}  // namespace plumb::cli
