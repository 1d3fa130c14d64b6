# One program for each fuzz/<target>.cpp, by libFuzzer: what reads files, case ids and attributes, with the rows that
# say what they may be; and one that runs every oracle. No route is compiled.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "PLUMB_FUZZ needs clang++, this is ${CMAKE_CXX_COMPILER_ID}")
endif()

add_compile_options(-fsanitize=fuzzer-no-link)
file(GLOB_RECURSE rows CONFIGURE_DEPENDS core/*.cpp reference/*.cpp)
set(answers foreign/assumed.cpp foreign/frames.cpp foreign/manifest.cpp)
add_library(plumb_rows STATIC ${rows} ${answers} ${scan_bytes} fuzz/tables.cpp)
target_link_libraries(plumb_rows PUBLIC plumb_options Threads::Threads ZLIB::ZLIB nlohmann_json::nlohmann_json)
target_include_directories(plumb_rows PRIVATE ${PROJECT_BINARY_DIR}/generated)
# What reads text is compiled to be quick; the rest, of which little runs, to be compiled quickly.
set(readers attrs case corpus files safetensors strict_json text)
list(TRANSFORM readers REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/core/\\1.cpp")
list(APPEND readers ${PROJECT_SOURCE_DIR}/foreign/frames.cpp ${PROJECT_SOURCE_DIR}/foreign/manifest.cpp)
set_source_files_properties(${readers} PROPERTIES COMPILE_OPTIONS -O1 SKIP_PRECOMPILE_HEADERS ON)
target_precompile_headers(plumb_rows PRIVATE
  <algorithm> <cmath> <functional> <limits> <map> <memory> <set> <sstream> <string> <vector>
  ${PROJECT_SOURCE_DIR}/core/op.h)

# Each has a folder of seeds.
file(GLOB fuzzers RELATIVE ${PROJECT_SOURCE_DIR}/fuzz/seeds CONFIGURE_DEPENDS fuzz/seeds/*)
foreach(target IN LISTS fuzzers)
  add_executable(fuzz_${target} fuzz/${target}.cpp fuzz/mutate.cpp)
  target_link_libraries(fuzz_${target} PRIVATE plumb_rows)
  target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
endforeach()

add_executable(oracles fuzz/oracles.cpp)
target_link_libraries(oracles PRIVATE plumb_rows)
