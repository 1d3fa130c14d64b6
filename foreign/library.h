// A library behind a program of its own: `--backend 'cmd:ARGV...'`.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "foreign/manifest.h"
#include "foreign/process.h"

namespace plumb::foreign {

class Library : public Backend {
 public:
  // Starts it and asks what it is. Throws Error(query) for an argument that names none, or one that does not begin.
  Library(std::string argument, const Limits&);
  ~Library() override;

  std::string_view name() const override { return name_; }
  std::string_view version() const override { return version_; }
  std::string argument() const override { return argument_; }
  std::string option() const override;
  std::vector<const Op*> serves() const override;
  std::string refuses(const Call&) override;
  void ask_ahead(const std::vector<Call>&) override;
  Order order(const Call&) const override;
  std::string declared(const Op&) const override;
  Repeats repeats(const Op& op) const override { return manifest_.at(std::string(op.name)).repeats; }
  Job prepare(const Call&, const std::vector<Spec>& out) override;
  void expect(int launches) override { expected_ = launches; }
  RawAnswer raw(const Op&, const std::vector<Tensor>& in, const Attrs&) override;
  void use(Threads threads) override { threads_ = threads; }
  void patience(double seconds) override { seconds_ = std::max(seconds, limits_.seconds); }
  std::vector<std::string> said() override;
  bool audited() const override { return limits_.audit; }

 private:
  // What was asked last and is not answered yet, in order.
  struct Asked {
    std::int64_t id;  // of a job; 0: none
    bool wait;
  };
  // To a frame of a job.
  struct Answer {
    bool wait;
    Json json;
  };
  struct Running {
    std::shared_ptr<Process> process;  // jobs keep its memory beyond its life
    std::vector<Asked> asked;
    std::int64_t start = 0;                                         // its number
    std::int64_t protocol = 1;                                      // from 2 on a launch names places of its own
    std::unordered_map<std::int64_t, std::vector<Answer>> answers;  // of jobs that are not waited for yet
  };
  struct Bound;
  class Held;

  Running& running();
  void begin(Running&);
  Json one(Running&, const Json& request, double seconds);
  std::vector<Json> ask(Running&, double seconds);
  void drop(Running&);
  void queue(Running&, const Json&, std::int64_t id = 0, bool wait = false);
  void know(Running&, const Json& hello);
  Json call_json(const std::string& op, const Attrs&, Json in, Json out) const;
  Json placed(Running&, const std::vector<Tensor>&, std::vector<Lease>&) const;
  Json collect(Running&, double seconds);
  Json answer_of(Running&, std::int64_t id);
  void take_places(Bound&, Running&, int launches);
  void queue_launch(Bound&, const std::vector<Lease>* places);
  void launch(Bound&);
  void wait(Bound&);
  std::vector<Tensor> fetch(Bound&);
  std::vector<std::string> refusals(const std::vector<Json>& calls);

  std::string argument_;
  std::vector<std::string> argv_;
  Limits limits_;
  std::string name_, version_, library_, device_;
  Manifest manifest_;
  Running running_[2];  // by Threads
  Threads threads_ = Threads::one;
  double seconds_;
  int expected_ = 0;  // launches of the next job that are asked for at once
  std::int64_t starts_ = 0, last_id_ = 0;
  int restarts_ = 0;
  std::unordered_map<std::string, std::string> refused_;  // by call
  std::vector<std::string> said_;
};

// Starts each, and adds its routes to the tables. They live until the process ends.
void install_libraries(const std::vector<std::string>& arguments, const Limits&);

}  // namespace plumb::foreign
