# What most files include is parsed once for each set of flags, a third of the time that a build takes. No file relies
# on it: each includes what it uses, as the builds without show (the preset no-gpu, clang-tidy, the fuzzers).
#
# precompile(TARGET [HEADER...])  with the rows' headers and those named beside
# precompile_as(TARGET OTHER)     with those of OTHER, whose options are the same: GCC takes what was precompiled at
#                                 another -O without a word, and then inlines as that one would

# The default prologue is a pragma that would silence the warnings in the project's own headers.
set(CMAKE_PCH_PROLOGUE "")

# Behind a precompiled header GCC 12 warns of the insides of std::string, as it does not where they are parsed anew.
function(keep_quiet target)
  if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overread -Wno-stringop-overflow)
  endif()
endfunction()

function(precompile target)
  keep_quiet(${target})
  target_precompile_headers(${target} PRIVATE <algorithm> <array> <bit> <cmath> <cstdint> <cstring> <functional>
    <limits> <map> <memory> <numeric> <optional> <set> <span> <string> <string_view> <utility> <vector>
    ${PROJECT_SOURCE_DIR}/core/op.h ${PROJECT_SOURCE_DIR}/core/route.h ${ARGN})
endfunction()

function(precompile_as target other)
  keep_quiet(${target})
  target_precompile_headers(${target} REUSE_FROM ${other})
endfunction()
