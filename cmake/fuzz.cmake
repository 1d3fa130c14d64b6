# One program for each fuzz/<target>.cpp, by libFuzzer: what reads files, case ids and attributes, with the rows that
# say what they may be; and, where these have sanitizers too, one that runs every oracle. No route is compiled.
set(PLUMB_FUZZ_ROWS "" CACHE PATH "A built tree whose rows the fuzzers take as they are; none: they are compiled anew")
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "PLUMB_FUZZ needs clang++, this is ${CMAKE_CXX_COMPILER_ID}")
endif()

# What reads what is mutated: libFuzzer counts what of it was reached.
set(reads core/attrs.cpp core/case.cpp core/corpus.cpp core/files.cpp core/safetensors.cpp core/strict_json.cpp
  core/text.cpp foreign/frames.cpp foreign/manifest.cpp)
file(GLOB formats RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS core/formats/*.cpp)
list(APPEND reads ${formats})
add_library(plumb_reads OBJECT ${reads})
target_link_libraries(plumb_reads PUBLIC plumb_options Threads::Threads ZLIB::ZLIB nlohmann_json::nlohmann_json)
target_compile_options(plumb_reads PRIVATE -fsanitize=fuzzer-no-link)
target_precompile_headers(plumb_reads PRIVATE
  <map> <optional> <sstream> <string> <vector> <nlohmann/json.hpp> ${PROJECT_SOURCE_DIR}/core/attrs.h)

# The rows, which say what a call may be: much is compiled, and little of it runs.
set(needed foreign/assumed.cpp fuzz/tables.cpp $<TARGET_OBJECTS:plumb_reads>)
set(taken "")
if(PLUMB_FUZZ_ROWS)
  foreach(part library core)
    set(archive ${PLUMB_FUZZ_ROWS}/libplumb_${part}.a)
    if(NOT EXISTS ${archive})
      message(FATAL_ERROR "${archive} is not built: cmake --build ${PLUMB_FUZZ_ROWS} --target plumb")
    endif()
    list(APPEND taken ${archive})
  endforeach()
else()
  file(GLOB_RECURSE rows RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS core/*.cpp reference/*.cpp)
  list(REMOVE_ITEM rows ${reads})
  list(APPEND needed ${rows} ${scan_bytes})
endif()
add_library(plumb_rows STATIC ${needed})
target_link_libraries(plumb_rows
  PUBLIC plumb_options ${taken} Threads::Threads ZLIB::ZLIB nlohmann_json::nlohmann_json)
target_include_directories(plumb_rows PRIVATE ${PROJECT_BINARY_DIR}/generated)
target_precompile_headers(plumb_rows PRIVATE
  <algorithm> <cmath> <functional> <limits> <map> <memory> <set> <sstream> <string> <vector>
  ${PROJECT_SOURCE_DIR}/core/op.h)

# Each has a folder of seeds.
file(GLOB fuzzers RELATIVE ${PROJECT_SOURCE_DIR}/fuzz/seeds CONFIGURE_DEPENDS fuzz/seeds/*)
foreach(target IN LISTS fuzzers)
  add_executable(fuzz_${target} fuzz/${target}.cpp fuzz/mutate.cpp)
  target_link_libraries(fuzz_${target} PRIVATE plumb_rows)
  target_compile_options(fuzz_${target} PRIVATE -fsanitize=fuzzer-no-link)
  target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
endforeach()

if(NOT PLUMB_FUZZ_ROWS)
  add_executable(oracles fuzz/oracles.cpp)
  target_link_libraries(oracles PRIVATE plumb_rows)
endif()
