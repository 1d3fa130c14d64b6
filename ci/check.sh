#!/usr/bin/env bash
# What people and CI run:  ci/check.sh STEP...   with the steps, in any order:
#
#   setup      install the Debian packages that are missing (as root, or through sudo): what the program needs to be
#              built and to run without a GPU
#   setup-test as setup, and what the tests need beside
#   setup-dev  as setup-test, and what tidy, nightly and conformance/golden/ need beside
#   setup-foreign  install the libraries that adapters/ judges, as adapters/requirements.txt pins them, into a Python
#              environment of their own, build/foreign
#   foreign    setup-foreign and build the program, then judge those libraries: exactly what adapters/known/ lists may
#              differ. Three minutes
#   report     build the program, then judge the smallest cases of every operation and time the route that answers each
#              for a moment: out/report.{json,md,html}. A first look; no timing of it is a benchmark
#   full       build the program, then judge and time every operation on the devices found, at length: the same files
#   build      build everything in build/release
#   test       setup-test and build, then run every test; the smallest cases have the values of the day (its salt is
#              printed). Tests whose names match the expression NO_SKIP may not be skipped
#   asan       address and undefined behaviour sanitizers in the routes, on the smallest cases and recorded ones
#   tsan       thread sanitizer in the CPU routes, on the same
#   device     build, then what only a device can show: its routes on the ci cases, and on the smallest ones with the
#              values of the day, and the tests that ask it. Exit 77 where there is none beside the host processor
#   alarms     build, then 10 salts of the smallest cases on every route, CPU routes under every instruction set and 1,
#              2 and 3 threads, and 3 salts of the ci cases: nothing may fail; prints how many elements were compared
#   nightly    every case with 3 salts, every ci case under every instruction set and 1, 2 and 3 threads, mutants of the
#              judge, every planted fault, the sanitizers in all of it, a build without OpenCL, and tidy. Takes hours;
#              out/nightly/ has each part's log
#   fuzz       each fuzzer of fuzz/ for 10 s, with the address sanitizer, as the tests fuzz.* do; at night a million
#              inputs each, with sanitizers in the rows as well, and every oracle under them. Needs clang of setup-dev
#   form       build the program, then the laws of form (ci/form.py): who may include whom, formatting, widths, sizes,
#              commits; and every example of README.md and of each --help
#   tidy       build, then clang-tidy over the sources, as .clang-tidy says
#   tidy-new   as tidy, over what the last 20 commits changed, the most changed first, for TIDY_SECONDS (90)
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build nlohmann-json3-dev libcli11-dev libbenchmark-dev zlib1g-dev ocl-icd-opencl-dev
  opencl-headers pocl-opencl-icd)
test_packages=("${packages[@]}" git ccache libgtest-dev libgmock-dev libeigen3-dev libopenblas0-pthread
  python3-jsonschema)
dev_packages=("${test_packages[@]}" chromium clang libclang-rt-14-dev clang-format clang-tidy python3-clang-14
  python3-numpy python3-scipy python3-mpmath)
python=$(PATH=/usr/bin:$PATH command -v python3 || true)  # the one that Debian packages extend
every_isa=--isa=base,avx2,avx512
few_threads=--threads=1,2,3
tests=release  # the preset

say() { printf '\n== %s\n' "$*"; }

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

install_packages() {
  local missing root=()
  command -v apt-get >/dev/null || { echo "setup needs apt-get; the packages are: $*" >&2; return 1; }
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && { echo "every package is installed"; return; }
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "run as root, or install sudo, to add: ${missing[*]}" >&2; return 1; }
    root=(sudo)
  fi
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

setup() { install_packages "${packages[@]}"; }

setup_test() { install_packages "${test_packages[@]}"; }

setup_dev() { install_packages "${dev_packages[@]}"; }

# Tests that need a library take this environment where it is.
setup_foreign() {
  local venv=build/foreign
  if command -v apt-get >/dev/null; then install_packages python3-venv; fi
  if ! cmp -s adapters/requirements.txt "$venv/requirements.txt"; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: -r adapters/requirements.txt
    cp adapters/requirements.txt "$venv/requirements.txt"
  fi
  "$venv/bin/python" -m pip list --disable-pip-version-check
}

# Every operation that a library has, on the smallest cases: exactly what its list says differs.
judge_libraries() {
  local library
  for library in numpy mlx; do
    say "foreign: $library"
    build/release/plumb check --backend "cmd:build/foreign/bin/python adapters/${library}_adapter.py" --budget=smoke \
      --salt=0 --known "adapters/known/$library.json"
  done
}

foreign() {
  setup_foreign
  program
  judge_libraries
}

# make_preset PRESET [--target NAME]
make_preset() {
  cmake --preset "$1"
  cmake --build --preset "$@"
}

program() { make_preset release --target plumb; }

build() { make_preset release; }

# Elsewhere than on Debian, CMake says what is missing.
test_all() {
  if command -v apt-get >/dev/null; then setup_test; fi
  build
  echo "salt of the day: $(date -u +%Y%m%d)"
  ctest --preset "$tests" --output-junit "$PWD/build/release/tests.xml"
  must_have_run build/release/tests.xml
}

# Those that the expression NO_SKIP names: the gate has what they need, and a skipped test there is no test.
must_have_run() {
  local skipped
  skipped=$(sed -n 's/.*<testcase name="\([^"]*\)".*status="notrun".*/\1/p' "$1" | grep -E "${NO_SKIP:-^$}" || true)
  [ -z "$skipped" ] || { printf 'skipped, but must run here:\n%s\n' "$skipped" >&2; return 1; }
}

report() {
  program
  build/release/plumb devices
  build/release/plumb report --out out --budget=smoke --timed=natural --min-time=0.001 --repetitions=3 \
    --launch-limit=0.05 --no-peers
}

full() {
  program
  build/release/plumb devices
  # The peer at its best: where it does not know the processor's model, OpenBLAS falls back to a slow kernel.
  if grep -qw avx512f /proc/cpuinfo; then export OPENBLAS_CORETYPE="${OPENBLAS_CORETYPE:-SkylakeX}"; fi
  build/release/plumb report --out out --min-time=0.01 --launch-limit=0.2
}

# sanitized PRESET: a program more in build/release
sanitized() {
  cmake --preset release
  cmake --build --preset "$1"
  ctest --preset "$1"
}

asan() { sanitized asan; }

tsan() { sanitized tsan; }

# sanitized_all PRESET: everything is instrumented, in a tree of its own
sanitized_all() {
  make_preset "$1"
  ctest --preset "$1"
}

# The current device, and not the host processor behind a device API.
have_device() {
  build/release/plumb devices --json | python3 -c '
import json, sys
facts = json.load(sys.stdin)
current = facts["current"]["device"]
sys.exit(current is None or facts["devices"][current]["is_cpu"])'
}

device() {
  build
  build/release/plumb devices
  if ! have_device; then
    echo "device: no OpenCL device here beside the host processor; nothing was judged" >&2
    exit 77
  fi
  say "device: the smallest cases, values of the day"
  build/release/plumb check --route='gpu.*' --budget=smoke --salt=day
  say "device: the ci cases"
  build/release/plumb check --route='gpu.*' --budget=ci -v
  say "device: recorded cases"
  build/release/plumb replay conformance/corpus --route='gpu.*'
  say "device: tests"
  ctest --preset release -R '^(GpuRuntime|GpuProgramCache|Network|Impulse|Adjoint)\.'
  build/release/conformance_tests --gtest_filter='DeviceLimits.*'
}

alarms() {
  build
  "$python" ci/alarms.py --program build/release/plumb
}

# One part of the night: its output in a file as well, and how long it took. A failure is told at the end, so that the
# other parts are run.
night_part() {
  local name=$1 begin=$SECONDS
  shift
  say "nightly: $name"
  if "$@" 2>&1 | tee "out/nightly/$name.txt"; then
    echo "nightly: $name good, $((SECONDS - begin)) s"
  else
    echo "nightly: $name FAILED, $((SECONDS - begin)) s" | tee -a out/nightly/failed.txt
  fi
}

nightly() {
  build
  mkdir -p out/nightly
  : >out/nightly/failed.txt
  local salt
  for salt in 0 1 "$(date -u +%Y%m%d)"; do
    night_part "cases-salt-$salt" build/release/plumb check --budget=nightly --salt="$salt" -v
  done
  night_part settings build/release/plumb check --budget=ci --route='cpu.*' $every_isa $few_threads
  night_part limits build/release/conformance_tests --gtest_filter='DeviceLimits.*'
  night_part mutants "$python" ci/mutate.py --night
  night_part planted "$python" ci/plant.py --build build/release
  night_part asan-all sanitized_all asan-all
  night_part tsan-all sanitized_all tsan-all
  night_part no-gpu-build make_preset no-gpu
  night_part no-gpu-tests ctest --preset no-gpu
  night_part fuzz fuzz_all
  night_part foreign foreign
  night_part tidy tidy
  say "nightly: $(wc -l <out/nightly/failed.txt) parts failed"
  cat out/nightly/failed.txt
  [ ! -s out/nightly/failed.txt ]
}

# each_fuzzer [OPTION OF LIBFUZZER...]  one after the other
each_fuzzer() {
  local target
  ci/fuzz.sh build
  for target in $(ls fuzz/seeds); do
    say "fuzz: $target"
    ci/fuzz.sh "$target" "$@"
  done
}

fuzz() {
  program
  each_fuzzer
}

fuzz_all() {
  export FUZZ_PRESET=fuzz-all
  each_fuzzer -runs=1000000
  ci/fuzz.sh oracles 1
  ci/fuzz.sh oracles 2
}

# What is asked here need not be asked by the tests that follow.
form() {
  program
  ctest --preset release -L '^form$' --output-junit "$PWD/build/release/form.xml"
  must_have_run build/release/form.xml
  tests=behind-form
}

tidy() {
  build
  "$python" ci/tidy.py --build build/release
}

tidy_new() {
  build
  "$python" ci/tidy.py --build build/release --commits 20 --seconds "${TIDY_SECONDS:-90}"
}

[ $# -gt 0 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
for step in "$@"; do
  case $step in
    setup | build | report | full | asan | tsan | device | alarms | nightly | fuzz | form | tidy)
      say "$step"; "$step" ;;
    setup-test) say setup-test; setup_test ;;
    setup-dev) say setup-dev; setup_dev ;;
    foreign) say foreign; foreign ;;
    setup-foreign) say setup-foreign; setup_foreign ;;
    test) say test; test_all ;;
    tidy-new) say tidy-new; tidy_new ;;
    *) echo "unknown step: $step" >&2; exit 2 ;;
  esac
done
