// The words of check, bench, report and replay that choose among cases and routes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/case.h"
#include "core/route.h"

namespace plumb {

// A query is the name of an op (its every case on every route), or a glob on one of these labels:
//   CASE@ROUTE    add/f32.3.row.uniform+f32.3.row.uniform/-@cpu.strided
//   CASE          add/f32.3.row.uniform+f32.3.row.uniform/-
//   OP@ROUTE      add@cpu.strided
//   OP            add
// A glob is held against the whole of a label; * and ? stand for any characters, / and @ among them. Braces hold what
// varies, as in the patterns of the rows: add/{f32,f16}.{64~}.*, {add,sum}@cpu.*; such a query is all that it stands
// for.
class Queries {
 public:
  using Ids = std::vector<std::string> (*)(const Op&, Budget);  // of the cases that a verb would run

  // `route`: all, natural, backends (those of other software), or a glob on route names. Throws Error(query) for braces
  // that make no sense.
  Queries(const std::vector<std::string>& queries, std::string route);

  // What the queries say, without `route`; everything if there are none.
  bool match(const Op&, std::string_view case_id, std::string_view route) const;
  // False where no label of the op can match, whatever its cases are: then they need not be made.
  bool may_name(const Op&) const;
  // What `route` says: everything for all and natural.
  bool on(std::string_view route) const { return open() || glob_on(route); }
  bool natural() const { return route_ == "natural"; }

  // Throws Error(query) for a route that no op has, and for each query that matches no id in the budget on any route
  // that `route` lets through.
  void require(Ids, Budget) const;
  bool any(Ids, Budget) const;  // whether one of them does

 private:
  bool open() const { return route_ == "all" || route_ == "natural"; }
  bool glob_on(std::string_view route) const;

  struct Query {
    std::string text;
    std::vector<std::string> globs;  // what it stands for
  };
  bool alive(const Query&, Ids, Budget) const;

  std::vector<Query> queries_;
  std::string route_;
};

// * and ?; a backslash takes the character behind it as it is.
bool glob(std::string_view pattern, std::string_view text);

// A glob that matches this text; what is a control character in it is any character to the glob, so that it can be
// printed.
std::string glob_of(std::string_view text);

// Throws Error(query), with the nearest names, for a glob that no route of any op matches.
void require_route(const std::string& wanted);

}  // namespace plumb
