// plumb: the command line. Arguments are declared here, verbs live in one file each.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <new>

#include "cli/advice.h"
#include "cli/families.h"
#include "cli/streams.h"
#include "cli/timing.h"
#include "cli/verbs.h"
#include "core/device.h"
#include "core/drivers.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/text.h"
#include "foreign/library.h"
#include "generated/version.h"

namespace plumb::cli {
namespace {

constexpr const char* kEnvironment =
    "Environment:\n"
    "  PLUMB_DEVICE   an index of `plumb devices`, part of a name, or none: then no driver is loaded\n"
    "  PLUMB_ROUTE    a route that `explain` and natural dispatch prefer where it can run\n"
    "  PLUMB_THREADS  threads of the CPU routes\n"
    "  PLUMB_ISA      base, avx2 or avx512: at most this\n"
    "  PLUMB_LIMITS   small: blocks and thresholds that small cases cross\n"
    "  PLUMB_CACHE    off: keep no built kernels; on: those too whose driver keeps them itself\n"
    "  PLUMB_PROBE_SECONDS  how long an OpenCL driver may take to answer: 10\n"
    "  One that is empty is not set; another name PLUMB_*, and a value that names nothing, are errors.\n\n"
    "Exit codes: 0 good, 1 something failed, 2 a bad argument or file, 77 nothing could run here;\n"
    "of a `report` that a signal ended: 128 and the signal, after what was found is written\n";

// The one verb that was asked for, the rows that it reads, and the command line.
struct Run {
  std::function<int()> verb;
  std::function<void()> install = install_families;
  std::string command = "plumb";
};

bool device_required = false;  // by --require-device, of any verb that has it

// By --backend and what goes with it, of any verb that has them.
struct BackendArgs {
  std::vector<std::string> arguments;
  foreign::Limits limits;
} backend_args;

template <class Args>
void json_flag(CLI::App* sub, Args& args) {
  sub->add_flag("--json", args.json, "Print JSON instead of text");
}

void require_device_flag(CLI::App* sub) {
  sub->add_flag("--require-device", device_required, "Fail, with the reason, where there is no usable OpenCL device");
}

// Before any work: a suite that needs a device must not be content without one.
bool device_is_missing() {
  if (!device_required || current_device().tier != Tier::unavailable) return false;
  std::string why;
  for (const std::string& note : current_device().notes) why += (why.empty() ? "" : "; ") + note;
  std::fprintf(stderr, "plumb: --require-device: %s\n", why.c_str());
  return true;
}

// Who goes on with the other drivers, or with none, should know which one is broken.
void tell_broken_drivers() {
  for (const DriverNote& note : driver_notes())
    if (note.fatal) std::fprintf(stderr, "plumb: %s\n", note.text.c_str());
}

template <class Args>
void salt_option(CLI::App* sub, Args& args) {
  sub->add_option(
      "--salt", args.salt,
      "A number that chooses other values for every case, or day, or random; none: 0, with --backend random");
}

template <class Args>
void shard_option(CLI::App* sub, Args& args) {
  sub->add_option("--shard", args.shard,
                  "i/n: only the operations of the i-th of n parts that take about as long; `plumb merge` joins them")
      ->capture_default_str();
}

// A list with commas. CLI11's own delimiter passes over an empty entry and takes the words that follow for entries.
CLI::Option* comma_list(CLI::App* sub, const std::string& name, const std::string& what,
                        std::function<void(const std::string&)> add) {
  const auto each = [name, add = std::move(add)](const CLI::results_t& values) {
    for (const std::string& value : values)
      for (std::size_t begin = 0, end = 0; begin <= value.size(); begin = end + 1) {
        end = std::min(value.find(',', begin), value.size());
        if (end == begin) throw CLI::ValidationError(name, "\"" + value + "\" has an empty entry");
        add(value.substr(begin, end - begin));
      }
    return true;
  };
  return sub->add_option(name, each, what)
      ->type_name("LIST")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->allow_extra_args(false);
}

void threads_option(CLI::App* sub, std::vector<int>& threads, const std::string& what) {
  comma_list(sub, "--threads", what, [&threads](const std::string& entry) {
    int n = 0;
    if (!CLI::detail::lexical_cast(entry, n) || n < 1 || n > kMaxThreads)
      throw CLI::ValidationError("--threads", "Value " + entry + " not in range 1 to " + std::to_string(kMaxThreads));
    threads.push_back(n);
  });
}

// Every pair of the two lists.
template <class Args>
void setting_options(CLI::App* sub, Args& args) {
  comma_list(sub, "--isa", "Instruction sets of the CPU routes: base, avx2, avx512; none: the best",
             [&args](const std::string& entry) { args.isas.push_back(entry); });
  threads_option(sub, args.threads, "Numbers of threads of the CPU routes; none: all cores");
}

CLI::Validator seconds(double most);

void backend_options(CLI::App* sub) {
  sub->add_option("--backend", backend_args.arguments,
                  "Software to judge, 'cmd:PROGRAM ARGUMENT...'; may be given several times (docs/foreign.md)")
      ->allow_extra_args(false);  // one each time: what follows is a query
  sub->add_option("--backend-timeout", backend_args.limits.seconds, "Seconds that an answer of a backend may take")
      ->capture_default_str()
      ->check(seconds(3600));
  sub->add_option("--max-restarts", backend_args.limits.restarts, "How often a backend that ended is started again")
      ->capture_default_str()
      ->check(CLI::Range(0, 100000));
  sub->add_flag("--audit", backend_args.limits.audit, "Try the calls too that a backend refuses");
}

// A number of seconds above 0; CLI::Range lets NaN through.
CLI::Validator seconds(double most) {
  return CLI::Validator(
      [most](std::string& text) {
        double v = 0;
        if (CLI::detail::lexical_cast(text, v) && v > 0 && v <= most) return std::string();
        return "\"" + text + "\" is no number of seconds above 0" +
               (most < INFINITY ? " and at most " + shortest(most) : std::string());
      },
      "SECONDS");
}

template <class Args>
void runs(CLI::App* sub, Run& run, int (*f)(const Args&), Args& args) {
  sub->callback([&run, f, &args] { run.verb = [f, &args] { return f(args); }; });
}

void add_devices(CLI::App* sub, Run& run) {
  static DevicesArgs args;
  require_device_flag(sub);
  json_flag(sub, args);
  runs(sub, run, devices, args);
}

CLI::App* add_listing(CLI::App* list, Run& run, const std::string& name, const std::string& what, ListArgs& args,
                      int (*f)(const ListArgs&)) {
  CLI::App* sub = list->add_subcommand(name, what);
  json_flag(sub, args);
  runs(sub, run, f, args);
  return sub;
}

void add_list(CLI::App* list, Run& run) {
  static ListArgs args;
  static CtestArgs ctest;
  list->require_subcommand(1);
  const char* query = "An op or a glob on op names";
  CLI::App* ops = add_listing(list, run, "ops", "Operations and their equations", args, list_ops);
  CLI::Option* chosen = ops->add_option("query", args.query, query);
  ops->add_flag("--markdown", args.markdown, "The entries of the pages under docs/ops");
  ops->add_option("--pages", args.pages, "Write ops.md and ops/<wing>.md, of all operations, into this folder")
      ->excludes(chosen);
  add_listing(list, run, "routes", "Implementations and their conditions", args, list_routes)
      ->add_option("query", args.query, query);
  CLI::App* cases = add_listing(list, run, "cases", "Case ids, the arguments of explain and repro", args, list_cases);
  cases->add_option("query", args.query, "An op, or a glob on case ids; braces as in docs/patterns.md");
  cases->add_flag("--patterns", args.patterns, "The patterns that the cases are written in, by op");
  cases->add_option("--budget", args.budget, "smoke, ci or nightly")->capture_default_str();
  add_listing(list, run, "fills", "Where input values come from", args, list_fills);
  CLI::App* tests = list->add_subcommand("ctest", "Write CTest entries, one per op and recorded family");
  tests->add_option("--program", ctest.program, "This program")->required();
  tests->add_option("--out", ctest.out, "The file to write")->required();
  tests->add_option("--corpus", ctest.corpora, "Folders of recorded families to replay");
  backend_options(tests);
  runs(tests, run, list_ctest, ctest);
}

void add_explain(CLI::App* sub, Run& run) {
  static ExplainArgs args;
  sub->add_option("case", args.target, "CASE, or CASE@ROUTE to force a preference; with braces for several")
      ->required();
  json_flag(sub, args);
  backend_options(sub);
  runs(sub, run, explain, args);
}

void add_check(CLI::App* sub, Run& run) {
  static CheckArgs args;
  sub->add_option("query", args.queries, "Ops, or globs on CASE@ROUTE, with braces; none: everything");
  sub->add_option("--budget", args.budget, "smoke, ci or nightly")->capture_default_str();
  sub->add_option("--route", args.route, "all, natural, or a route name (globs allowed)")->capture_default_str();
  salt_option(sub, args);
  setting_options(sub, args);
  sub->add_option("--known", args.known, "Known departures of a backend: it passes if exactly these differ")
      ->allow_extra_args(false);
  shard_option(sub, args);
  sub->add_option("--save-failures", args.save_failures, "Write failing cases as a corpus into this folder");
  sub->add_flag("-v,--verbose", args.verbose, "Also refusals by reason, and the worst cases");
  require_device_flag(sub);
  json_flag(sub, args);
  backend_options(sub);
  runs(sub, run, check, args);
}

void add_repro(CLI::App* sub, Run& run) {
  static ReproArgs args;
  sub->add_option("case", args.target, "CASE, or CASE@ROUTE, with braces for several; without a route: every route")
      ->required();
  salt_option(sub, args);
  setting_options(sub, args);
  sub->add_option("--dump", args.dump, "Write the case and the reference's answer as a corpus into this folder");
  require_device_flag(sub);
  json_flag(sub, args);
  backend_options(sub);
  runs(sub, run, repro, args);
}

void add_replay(CLI::App* sub, Run& run) {
  static ReplayArgs args;
  sub->add_option("folder", args.folder, "A recorded family, or a folder of them")->required();
  sub->add_option("--op", args.op, "A glob on recorded op names")->capture_default_str();
  sub->add_option("--case", args.case_id, "A glob on recorded case ids")->capture_default_str();
  sub->add_option("--route", args.route, "reference, natural, all, or a route name (globs allowed)")
      ->capture_default_str();
  sub->add_flag("-v,--verbose", args.verbose, "Also refusals by reason");
  require_device_flag(sub);
  json_flag(sub, args);
  runs(sub, run, replay, args);
}

void add_eval(CLI::App* sub, Run& run) {
  static EvalArgs args;
  sub->add_option("op", args.op, "The operation")->required();
  sub->add_option("--in", args.in,
                  "Inputs, named as `plumb list ops` names them: .safetensors, .npz, .gguf, .npy (the first one); "
                  "-: standard input")
      ->required();
  sub->add_option("--attrs", args.attrs, "Attributes, a JSON object")->capture_default_str();
  sub->add_option("--out", args.out,
                  "Outputs by name, the active part of each, in the format of the ending; -: standard output")
      ->required();
  sub->add_option("--route", args.route, "reference, natural, or a route name; refused where the route cannot run")
      ->capture_default_str();
  json_flag(sub, args);
  runs(sub, run, eval, args);
  const char* route = std::getenv("PLUMB_ROUTE");  // any operation may have it
  if (!route || !*route) run.install = [] { install_family_of(args.op); };
}

void bench_options(CLI::App* sub, BenchArgs& args) {
  sub->add_option("--min-time", args.min_time, "Seconds per repetition, at least")
      ->capture_default_str()
      ->check(seconds(3600));
  sub->add_option("--launch-limit", args.launch_limit, "Seconds: what takes longer at once is not timed")
      ->capture_default_str()
      ->check(seconds(INFINITY));
  sub->add_option("--repetitions", args.repetitions, "Repetitions of each measurement")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  threads_option(sub, args.threads, "Numbers of threads, one run for each");
  shard_option(sub, args);
  sub->add_flag("--no-peers", args.no_peers, "Without other libraries for comparison");
}

void add_convert(CLI::App* sub, Run& run) {
  static ConvertArgs args;
  sub->add_option("from", args.from,
                  "The file that is read; what its first bytes are, not its ending, says how; -: "
                  "standard input")
      ->required();
  sub->add_option("to", args.to, "The file that is written; -: standard output")->required();
  sub->add_option("--as", args.as, "npy, npz, safetensors or gguf, instead of what the ending says");
  json_flag(sub, args);
  runs(sub, run, convert, args);
}

void add_bench(CLI::App* sub, Run& run) {
  static BenchArgs args;
  sub->add_option("query", args.queries, "Ops, or globs on CASE@ROUTE, with braces; none: everything");
  sub->add_option("--route", args.route, "all, natural, or a route name (globs allowed)")->capture_default_str();
  sub->add_option("--budget", args.budget, "Sizes to time: smoke, ci or nightly")->capture_default_str();
  salt_option(sub, args);
  bench_options(sub, args);
  require_device_flag(sub);
  json_flag(sub, args);
  backend_options(sub);
  runs(sub, run, bench, args);
}

void add_report(CLI::App* sub, Run& run) {
  static ReportArgs args;
  args.command = run.command;
  CLI::Option* query =
      sub->add_option("query", args.queries, "Ops, or globs on CASE@ROUTE, with braces; none: everything");
  sub->add_option("--out", args.out, "The folder to write into; without it out, or with --from that of the report");
  CLI::Option* from = sub->add_option("--from", args.from, "Run nothing: write the pages of this report.json anew");
  from->excludes(query);
  sub->add_option("--budget", args.budget, "smoke, ci or nightly")->capture_default_str();
  salt_option(sub, args);
  CLI::Option* no_bench = sub->add_flag("--no-bench", args.no_bench, "Correctness only");
  sub->add_option("--timed", args.bench.route, "Which routes are timed of all that are judged: as --route of bench")
      ->capture_default_str()
      ->excludes(no_bench);
  sub->add_flag("--resume", args.resume,
                "Go on with the unfinished report in --out, which the same command began and a signal or crash ended")
      ->excludes(from);
  sub->add_option(
         "--against", args.against,
         "An older report: what broke or is slower since makes exit code 1, OUT/against.md has all; of several "
         "their times are taken together (plumb compare)")
      ->allow_extra_args(false)
      ->excludes(from);
  bench_options(sub, args.bench);
  require_device_flag(sub);
  json_flag(sub, args);
  backend_options(sub);
  runs(sub, run, report, args);
}

void add_merge(CLI::App* sub, Run& run) {
  static MergeArgs args;
  sub->add_option("parts", args.parts,
                  "The report.json of every --shard of one run, in any order; or what check or bench printed of them "
                  "with --json")
      ->required();
  sub->add_option("--out", args.out,
                  "The folder for report.json and its pages; needed for reports, the others are printed");
  json_flag(sub, args);
  runs(sub, run, merge, args);
}

void add_compare(CLI::App* sub, Run& run) {
  static CompareArgs args;
  sub->add_option("reports", args.reports,
                  "report.json, or what check or bench print with --json: one of the older program or several, then "
                  "that of the newer one")
      ->required()
      ->expected(2, CLI::detail::expected_max_vector_size);
  sub->add_option("--margin", args.margin, "The part by which times may differ and be the same")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 10.0));
  sub->add_flag("--common", args.common, "What is in the older reports alone is told, and is no failure");
  sub->add_flag("-v,--verbose", args.verbose, "Also the times that are the same or ambiguous");
  sub->add_flag("--markdown", args.markdown, "Print Markdown instead of text");
  json_flag(sub, args);
  runs(sub, run, compare, args);
}

struct Verb {
  const char *name, *what, *examples;
  void (*add)(CLI::App*, Run&);  // its options
};

const Verb kVerbs[] = {
    {"devices", "Which devices are here, of which tier, and what was verified of them",
     "  plumb devices\n  PLUMB_DEVICE=none plumb devices --json\n", add_devices},
    {"list", "The tables: operations, routes, cases, fills",
     "  plumb list ops\n  plumb list ops 'quantized_*' --markdown\n  plumb list ops --pages docs\n"
     "  plumb list routes matmul\n  plumb list cases 'argsort/*reversed*'\n"
     "  plumb list cases argsort --patterns\n  plumb list cases 'add/{f32,f16}.{7,9}.*'\n",
     add_list},
    {"explain", "Which route a case takes, and why not the others",
     "  plumb explain \"$(plumb list cases matmul | head -1)\"\n"
     "  plumb explain 'argsort/f32.7.row.uniform/-@reference'\n",
     add_explain},
    {"check", "Judge routes by the reference, with bounds derived from what they declare",
     "  plumb check\n  plumb check add sum --budget=smoke\n  plumb check matmul --route='cpu.*' -v\n"
     "  plumb check 'fft/*@cpu.*' --save-failures out/failures\n"
     "  plumb check 'quantize/f32.2x{64,128}.*' --budget=smoke\n"
     "  plumb check add sum sort --shard=1/2\n"
     "  plumb check argsort --budget=smoke --salt=day --isa=base,avx2,avx512 --threads=1,2,3\n",
     add_check},
    {"repro", "One case in detail: inputs, bound, worst elements",
     "  plumb repro 'argsort/f32.7.row.uniform/-@cpu.radix'\n"
     "  plumb repro 'argsort/f32.7.row.uniform/-@cpu.radix' --salt=7 --isa=avx2 --threads=3\n"
     "  plumb repro 'argsort/f32.7.row.uniform/-' --dump out/case\n"
     "  plumb repro 'argsort/f32.{64~}.row.{order,uniform}/-'\n",
     add_repro},
    {"replay", "Compare routes with the recorded answers of other software (docs/corpus.md)",
     "  plumb replay conformance/corpus --route=all\n"
     "  plumb replay conformance/corpus/array/sort --op='arg*' --route=reference\n",
     add_replay},
    {"eval", "Compute an operation on tensors from a file; the oracle for other programs",
     "  plumb eval matmul --in ab.safetensors --out c.safetensors\n"
     "  plumb eval softmax --in a.safetensors --attrs '{\"axis\": 0}' --out y.safetensors\n"
     "  plumb eval fft --in conformance/files/dtypes/f32.npy --out y.npy\n"
     "  produce | plumb eval sum --in - --out - | consume\n",
     add_eval},
    {"convert", "Write the tensors of a file in another format: npy, npz, safetensors, gguf",
     "  plumb convert conformance/files/numpy/deflated.npz weights.safetensors\n"
     "  plumb convert conformance/files/dtypes/f32.npy - --as=safetensors | plumb eval reciprocal --in - --out y.npy\n",
     add_convert},
    {"bench", "Time routes and peers, as shares of what this machine was measured to do",
     "  plumb bench matmul --threads=1,2\n  plumb bench argsort --min-time=0.5 --repetitions=9\n", add_bench},
    {"report", "Check and time everything; write report.json, report.md and report.html",
     "  plumb report --out out\n  plumb report --budget=smoke --min-time=0.05 --out out\n"
     "  plumb report --budget=smoke --min-time=0.05 --out out --resume\n"
     "  plumb report --from out/report.json\n"
     "  plumb report add --no-bench --out out/newer --against out/report.json\n",
     add_report},
    {"merge", "Join the reports of all shards into the one that an unsharded run writes",
     "  plumb check add sum --shard=1/2 --json > 1.json; plumb check add sum --shard=2/2 --json > 2.json; "
     "plumb merge 1.json 2.json\n"
     "  plumb merge out/report.json --out out/merged\n",
     add_merge},
    {"compare", "What a newer report has otherwise: what broke or is right again, vanished, is slower or faster",
     "  plumb compare out/report.json out/report.json\n"
     "  plumb compare out/report.json out/report.json out/report.json --margin=0.2 --common --markdown\n"
     "  plumb check add --json > old.json && plumb check add --json > new.json && plumb compare old.json new.json\n",
     add_compare},
};

// All of them, unless the first word names one: the options of the others would only be built and thrown away.
void add_verbs(CLI::App& app, Run& run, std::string_view first) {
  const auto named = [&](const Verb& v) { return v.name == first; };
  const bool one = std::any_of(std::begin(kVerbs), std::end(kVerbs), named);
  for (const Verb& v : kVerbs) {
    if (one && !named(v)) continue;
    CLI::App* sub = app.add_subcommand(v.name, v.what);
    sub->footer(std::string("Examples:\n") + v.examples);
    v.add(sub, run);
  }
}

// `plumb help VERB` is `plumb VERB --help`.
std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] != "help") return words;
  words.erase(words.begin());
  words.push_back("--help");
  return words;
}

// An option that is given and empty, often a variable of a script that is not set, must not be taken for one that is
// left out.
void refuse_empty_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options())
    for (const std::string& value : option->results())
      if (value.empty()) throw Error("plumb", Reason::query, option->get_name() + ": \"\" is no value");
  for (const CLI::App* sub : app.get_subcommands()) refuse_empty_values(*sub);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Plumbline: the executable specification and judge of array and sparse operations."};
  app.name("plumb");
  app.footer("`plumb VERB --help` shows examples.\n\n" + std::string(kEnvironment));
  app.set_version_flag("--version", std::string(kVersion) + " " + kCommit);
  app.require_subcommand(1);
  Run run;
  for (int i = 1; i < argc; ++i) run.command += " " + printable(shell_word(argv[i]));
  const std::vector<std::string> words = words_of(argc, argv);
  add_verbs(app, run, words.empty() ? "" : words[0]);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    const std::string what = misspelt(app, words);
    throw Error("plumb", Reason::query, (what.empty() ? std::string(e.what()) : what) + "; --help shows what there is");
  }
  refuse_empty_values(app);
  run.install();
  check_environment();
  backend_args.limits.judge = kVersion;
  foreign::install_libraries(backend_args.arguments, backend_args.limits);
  const int code = device_is_missing() ? kFailed : run.verb();
  tell_broken_drivers();
  return code;
}

// Each line free of control characters: messages hold words of files that nobody vouches for.
std::string lines_of(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0, end = 0; begin <= text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    out += (begin > 0 ? "\n" : "") + printable(text.substr(begin, end - begin));
  }
  return out;
}

}  // namespace
}  // namespace plumb::cli

int main(int argc, char** argv) {
  try {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == "bench" || verb == "report") plumb::cli::leave_for_timing(argv);
    plumb::cli::guard_streams();
    const int code = plumb::cli::parse_and_run(argc, argv);
    plumb::cli::finish_output();
    return code;
  } catch (const std::bad_alloc&) {
    std::fflush(stdout);
    std::fprintf(stderr, "plumb: [plumb] memory: an allocation failed outside of any operation\n");
    return plumb::cli::kBad;
  } catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "plumb: %s\n", plumb::cli::lines_of(e.what()).c_str());
    return plumb::cli::kBad;
  }
}
