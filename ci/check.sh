#!/usr/bin/env bash
# What people and CI run:  ci/check.sh STEP...   with the steps, in any order:
#
#   setup      install the Debian packages that are missing (as root, or through sudo)
#   setup-dev  install what only the mutation tests of the judge need
#   build      build everything in build/release
#   test       build, then run every test
#   report     build, then judge and time every operation on the devices found: out/report.{json,md,html}
#   asan       address and undefined behaviour sanitizers on the smallest cases
#   tsan       thread sanitizer on the smallest cases of the CPU routes
#   tidy       build, then clang-tidy over the sources, as .clang-tidy says
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build git ccache libgtest-dev libgmock-dev libbenchmark-dev nlohmann-json3-dev
  libeigen3-dev libcli11-dev ocl-icd-opencl-dev opencl-headers pocl-opencl-icd libopenblas-dev
  python3-jsonschema python3-matplotlib clang-tidy)
packages_dev=(python3-clang-14)

say() { printf '\n== %s\n' "$*"; }

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

install() {
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

setup() { install "${packages[@]}"; }

setup_dev() { install "${packages_dev[@]}"; }

make_preset() {
  cmake --preset "$1"
  cmake --build --preset "$1"
}

build() { make_preset release; }

test_all() {
  build
  ctest --preset release
}

report() {
  build
  build/release/plumb devices
  # The peer at its best: where it does not know the processor's model, OpenBLAS falls back to a slow kernel.
  if grep -qw avx512f /proc/cpuinfo; then export OPENBLAS_CORETYPE="${OPENBLAS_CORETYPE:-SkylakeX}"; fi
  build/release/plumb report --out out --min-time=0.01 --launch-limit=0.2
  python3 reports/validate.py out/report.json
}

asan() {
  make_preset asan
  ctest --preset asan
}

tsan() {
  make_preset tsan
  ctest --preset tsan
}

# The compiler's own warning options are not all known to clang.
tidy() {
  build
  git ls-files '*.cpp' | grep -v '\.simd\.cpp$' |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/release --extra-arg=-Wno-unknown-warning-option
}

[ $# -gt 0 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
for step in "$@"; do
  case $step in
    setup | build | report | asan | tsan | tidy) say "$step"; "$step" ;;
    test) say test; test_all ;;
    setup-dev) say setup-dev; setup_dev ;;
    *) echo "unknown step: $step" >&2; exit 2 ;;
  esac
done
