#!/usr/bin/env bash
# The fuzzers of fuzz/:  ci/fuzz.sh build [OPTION OF CMAKE...] | TARGET [OPTION OF LIBFUZZER...]
# Without options a target runs for 10 s. Inputs that break something are left in out/fuzz/. Rows come from
# build/release, unless FUZZ_PRESET=fuzz-all: then they have sanitizers as well, and every oracle is run in parts, by
# ci/fuzz.sh oracles 1 | 2. Exit 77, with the reason, where they cannot be built.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "fuzz: skipped: $*; ci/check.sh setup-dev installs it"; exit 77; }

command -v clang++ >/dev/null || skip "clang++ is not here"
empty='extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
clang++ -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null <<<"$empty" 2>/dev/null ||
  skip "clang++ is here without the runtime of its fuzzer and sanitizers"

preset=${FUZZ_PRESET:-fuzz}
if [ "$1" = build ]; then
  cmake --preset "$preset" "${@:2}" >/dev/null
  exec cmake --build --preset "$preset"
fi

target=$1
shift
if [ "$target" = oracles ]; then exec build/"$preset"/oracles "$@"; fi
[ $# -gt 0 ] || set -- -max_total_time=10
case $target in  # as long as such texts are; the format of the others asks for more
  case_ids | attributes) set -- "$@" -max_len=400 ;;
esac
mkdir -p "out/fuzz/$target"
exec build/"$preset"/"fuzz_$target" "$@" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
  -dict=fuzz/words.dict -artifact_prefix=out/fuzz/ "out/fuzz/$target" "fuzz/seeds/$target"
