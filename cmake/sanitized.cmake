# The routes under sanitizers, on the smallest cases and the recorded ones: they alone are compiled again, everything
# else is what the release is made of. What reads files runs under sanitizers of its own in the build of the fuzzers
# (fuzz/), and all of it, oracles too, at night (the presets asan-all, tsan-all and fuzz-all).

# add_sanitized(NAME FILES SANITIZER...)  the program conformance_tests_NAME, with FILES instrumented beside the routes.
function(add_sanitized name files)
  set(program conformance_tests_${name})
  set(routes plumb_routes_${name})
  set(watched plumb_watched_${name})
  add_routes(${routes} _${name} "${ARGN}")
  add_library(${watched} OBJECT ${files} conformance/tests/laws/everything.cpp)
  target_link_libraries(${watched} PRIVATE plumb_options GTest::gtest nlohmann_json::nlohmann_json)
  target_compile_definitions(${watched} PRIVATE PLUMB_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ${${routes}_without})
  # A library of flags, so that they stand behind those of all code. -Og takes two thirds of the time of -O1 to compile.
  add_library(plumb_${name} INTERFACE)
  instrument(plumb_${name} INTERFACE ${ARGN})
  target_compile_options(plumb_${name} INTERFACE -Og)
  foreach(part ${watched} ${${routes}_parts})
    target_link_libraries(${part} PRIVATE plumb_${name})
    set_target_properties(${part} PROPERTIES EXCLUDE_FROM_ALL ON)
  endforeach()
  set_target_properties(${routes} PROPERTIES EXCLUDE_FROM_ALL ON)

  # Instrumented objects stand first, and all of them: of what both have, theirs is taken. The plain routes are asked
  # for instruction sets that this machine has not, which tests name.
  add_executable(${program} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${watched}> $<TARGET_OBJECTS:conformance_tests>)
  list(JOIN ARGN "," kinds)
  target_link_options(${program} PRIVATE -fsanitize=${kinds})
  set(plain plumb_bench plumb_library plumb_foreign plumb_judge plumb_core plumb_routes)
  add_dependencies(${program} plumb ${plain} ${routes})
  list(TRANSFORM plain REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  target_link_libraries(${program} PRIVATE
    -Wl,--whole-archive $<TARGET_FILE:${routes}> -Wl,--no-whole-archive -Wl,--start-group ${plain} -Wl,--end-group
    GTest::gtest GTest::gmock benchmark::benchmark nlohmann_json::nlohmann_json Threads::Threads ZLIB::ZLIB
    ${CMAKE_DL_LIBS})
  if(PLUMB_GPU)
    target_link_libraries(${program} PRIVATE OpenCL::OpenCL)
  endif()
endfunction()

# sanitized_test(NAME PART FILTER)  with the environment that NAME has, and what stands behind FILTER.
function(sanitized_test name part filter)
  add_test(NAME ${name}.${part} COMMAND conformance_tests_${name} --gtest_filter=${filter})
  set_tests_properties(${name}.${part} PROPERTIES LABELS ${name} TIMEOUT 1200
    ENVIRONMENT "${${name}_environment};${ARGN}")
endfunction()

add_sanitized(asan "" address undefined)
set(asan_environment ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=1
  LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/ci/lsan.supp:use_tls=0:print_suppressions=0
  UBSAN_OPTIONS=print_stacktrace=1)
# Tests of what stands above the routes, or hands them sizes that no case has.
set(above_routes *Coordinates.* Entropy.* Layouts.* Scan.* GpuRuntime.* GpuProgramCache.* Algebra.* Identity.* Inputs.*
  Results.* SparseTensors.* Specs.* Cache.* SiteTable.* WholeNumbers.* *Network.* Voxel.* Pool.*)
list(JOIN above_routes ":" above_routes)
sanitized_test(asan device Everything.OfTheDeviceRuns)
sanitized_test(asan host Everything.OfTheHostRuns)
sanitized_test(asan above "${above_routes}")
sanitized_test(asan recorded Everything.RecordedIsReplayed PLUMB_LIMITS=small)

# With what the routes share beside data: locks and counts. Small limits: work is given to several threads wherever it
# can be.
file(GLOB shared CONFIGURE_DEPENDS core/*.cpp)
add_sanitized(tsan "${shared}" thread)
set(tsan_environment PLUMB_LIMITS=small PLUMB_THREADS=4 PLUMB_DEVICE=none TSAN_OPTIONS=halt_on_error=1)
sanitized_test(tsan host Everything.OfTheHostRuns)
sanitized_test(tsan recorded Everything.RecordedIsReplayed)
sanitized_test(tsan pool Pool.* PLUMB_LIMITS=usual)
