# CTest entries from the tables: one per op and recorded family, written by the program itself after it is built,
# so that a new row is a new test without an edit here. A new recording links it again.
set(listed ${PROJECT_BINARY_DIR}/generated/ctest_routes.cmake)
add_custom_command(TARGET plumb POST_BUILD
  COMMAND $<TARGET_FILE:plumb> list ctest --program $<TARGET_FILE:plumb> --out ${listed}
          --corpus ${PROJECT_SOURCE_DIR}/conformance/corpus ${PROJECT_SOURCE_DIR}/conformance/found VERBATIM)
file(GLOB_RECURSE recordings CONFIGURE_DEPENDS conformance/corpus/*cases.json conformance/found/*cases.json)
set_property(TARGET plumb APPEND PROPERTY LINK_DEPENDS ${recordings})
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${listed})

# The smallest cases with the values of the day, CPU routes under every instruction set and number of threads: what the
# entries of each op, whose values never change, cannot show.
add_test(NAME smoke.day COMMAND plumb check --budget=smoke --salt=day --isa=base,avx2,avx512 --threads=1,2,3)
set_tests_properties(smoke.day PROPERTIES LABELS budget:smoke TIMEOUT 1200 COST 2)

# Without a device most of what is judged would be skipped, and every test green.
if(PLUMB_GPU AND PLUMB_REQUIRE_DEVICE)
  add_test(NAME device.present COMMAND plumb devices --require-device)
  set_tests_properties(device.present PROPERTIES LABELS device TIMEOUT 120)
endif()

# The program without the device's routes, linked without OpenCL: only these two files say whether there are any.
if(PLUMB_GPU)
  add_executable(plumb_no_gpu cli/link/without_timing.cpp cli/families.cpp reports/report.cpp
    $<FILTER:$<TARGET_OBJECTS:plumb_cli>,EXCLUDE,/reports/report\\.cpp>)
  target_compile_definitions(plumb_no_gpu PRIVATE PLUMB_TIMING="$<TARGET_FILE_NAME:plumb_timing>")
  target_include_directories(plumb_no_gpu PRIVATE ${PROJECT_BINARY_DIR})
  set(without_opencl plumb_library plumb_foreign plumb_judge plumb_core plumb_routes)
  add_dependencies(plumb_no_gpu version plumb_timing ${without_opencl})
  list(TRANSFORM without_opencl REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  target_link_libraries(plumb_no_gpu PRIVATE plumb_options CLI11::CLI11 nlohmann_json::nlohmann_json Threads::Threads
    -Wl,--start-group ${without_opencl} -Wl,--end-group ZLIB::ZLIB)
  add_test(NAME no_gpu.links COMMAND plumb_no_gpu check add softmax sort --budget=smoke)
  set_tests_properties(no_gpu.links PROPERTIES LABELS budget:smoke TIMEOUT 120)
endif()

# A machine without any device: the smallest cases of every operation, and the report of them.
set(deviceless ${PROJECT_BINARY_DIR}/generated/unavailable)
add_test(NAME unavailable.report COMMAND plumb report --budget=smoke --no-bench --out ${deviceless})
set_tests_properties(unavailable.report PROPERTIES ENVIRONMENT PLUMB_DEVICE=none FIXTURES_SETUP unavailable
  LABELS budget:smoke TIMEOUT 600 COST 2)

# The generated pages are current. A build without the device's routes has fewer to list.
if(PLUMB_GPU)
  add_test(NAME docs.ops COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:plumb> -DDOCS=${PROJECT_SOURCE_DIR}/docs
    -DOUT=${PROJECT_BINARY_DIR}/generated/docs -P ${PROJECT_SOURCE_DIR}/cmake/current.cmake)
  set_tests_properties(docs.ops PROPERTIES LABELS docs TIMEOUT 60)
endif()

foreach(example IN LISTS examples)
  get_filename_component(name ${example} NAME_WE)
  add_test(NAME examples.${name} COMMAND example_${name})
  set_tests_properties(examples.${name} PROPERTIES LABELS examples TIMEOUT 60)
endforeach()
add_test(NAME docs.first_op COMMAND first_op)
set_tests_properties(docs.first_op PROPERTIES LABELS docs TIMEOUT 60)

# A report keeps to its schema, and so do the committed ones.
find_program(PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(PYTHON NAMES python3)
if(PYTHON)
  file(GLOB reports CONFIGURE_DEPENDS reports/*.json reports/*/*.json)
  list(FILTER reports EXCLUDE REGEX "schema\\.json$")
  set(made ${PROJECT_BINARY_DIR}/generated/report)
  add_test(NAME report.make COMMAND plumb report add argsort --budget=smoke --no-bench --out ${made})
  add_test(NAME report.valid COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/reports/validate.py ${made}/report.json ${reports})
  # One that was stopped says so.
  set(stopped ${PROJECT_BINARY_DIR}/generated/report_stopped)
  add_test(NAME report.stop COMMAND sh -c
    "rm -rf '${stopped}'; '$<TARGET_FILE:plumb_on_fakes>' report many@perfect scaled@cpu.any --no-bench \
--out '${stopped}'; test $? -eq 143")
  add_test(NAME report.partial COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/reports/validate.py ${stopped}/report.json)
  set_tests_properties(report.stop PROPERTIES FIXTURES_SETUP stopped LABELS report TIMEOUT 60
    ENVIRONMENT "FAKES_STOP=scaled 120 15;PLUMB_DEVICE=none")
  set_tests_properties(report.partial PROPERTIES FIXTURES_REQUIRED stopped LABELS report TIMEOUT 60
    PASS_REGULAR_EXPRESSION "^1 valid\n.*: partial\n" SKIP_RETURN_CODE 77)
  # Its page, looked at in a browser, in a machine that does nothing else: it is asked how fast it opens.
  add_test(NAME report.page COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/reports/page_test.py --program $<TARGET_FILE:plumb>
    ${PROJECT_SOURCE_DIR}/reports/h200/report.json)
  set_tests_properties(report.page PROPERTIES LABELS report TIMEOUT 600 SKIP_RETURN_CODE 77 RUN_SERIAL ON)
  foreach(report IN LISTS reports)
    get_filename_component(folder ${report} DIRECTORY)
    get_filename_component(name ${folder} NAME)
    add_test(NAME report.current.${name} COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:plumb> -DREPORT=${report}
      -DOUT=${PROJECT_BINARY_DIR}/generated/report_${name} -P ${PROJECT_SOURCE_DIR}/cmake/current_pages.cmake)
    set_tests_properties(report.current.${name} PROPERTIES LABELS report TIMEOUT 60)
  endforeach()
  add_test(NAME unavailable.valid COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/reports/validate.py --tier=unavailable
    ${deviceless}/report.json)
  set_tests_properties(unavailable.valid PROPERTIES FIXTURES_REQUIRED unavailable LABELS report TIMEOUT 60
    SKIP_RETURN_CODE 77)
  set_tests_properties(report.make PROPERTIES FIXTURES_SETUP report LABELS report TIMEOUT 300)
  set_tests_properties(report.valid PROPERTIES FIXTURES_REQUIRED report LABELS report TIMEOUT 60 SKIP_RETURN_CODE 77)
endif()

# Random files, texts, ids and attributes for what reads them, 10 s each. Another compiler builds the fuzzers, in a tree
# of their own.
add_test(NAME fuzz.build COMMAND ${PROJECT_SOURCE_DIR}/ci/fuzz.sh build -DPLUMB_FUZZ_ROWS=${PROJECT_BINARY_DIR})
set_tests_properties(fuzz.build PROPERTIES FIXTURES_SETUP fuzz LABELS fuzz TIMEOUT 1200 SKIP_RETURN_CODE 77
  PROCESSORS 2)
file(GLOB fuzzers RELATIVE ${PROJECT_SOURCE_DIR}/fuzz/seeds CONFIGURE_DEPENDS fuzz/seeds/*)
foreach(target IN LISTS fuzzers)
  add_test(NAME fuzz.${target} COMMAND ${PROJECT_SOURCE_DIR}/ci/fuzz.sh ${target})
  set_tests_properties(fuzz.${target} PROPERTIES FIXTURES_REQUIRED fuzz LABELS fuzz TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()

# The laws of form, that a breach of each is seen, and what the README and --help tell people to type.
if(PYTHON)
  add_test(NAME form.laws COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/ci/form.py)
  add_test(NAME form.breaches COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/ci/form_test.py)
  add_test(NAME form.examples COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/ci/examples.py --program $<TARGET_FILE:plumb>)
  set_tests_properties(form.laws form.breaches form.examples PROPERTIES LABELS form TIMEOUT 300)
  set_tests_properties(form.laws form.breaches PROPERTIES SKIP_RETURN_CODE 77)
  set_tests_properties(form.examples PROPERTIES RUN_SERIAL TRUE)  # examples of `bench` take times
endif()

# A planted fault that no longer applies would be no test of anything.
if(PYTHON)
  add_test(NAME planted.apply COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/ci/plant.py --check)
  add_test(NAME planted.places COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/ci/places_test.py)
  set_tests_properties(planted.apply planted.places PROPERTIES LABELS unit TIMEOUT 60)
endif()

# No row that a foreign library has is forgotten by its adapter.
if(PYTHON)
  foreach(library numpy mlx)
    add_test(NAME adapters.rows.${library} COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/adapters/rows_test.py ${library}
      --program $<TARGET_FILE:plumb>)
    set_tests_properties(adapters.rows.${library} PROPERTIES LABELS adapters TIMEOUT 60 SKIP_RETURN_CODE 77)
  endforeach()
endif()

# The bodies of kernels for matrix units that no device here may have.
if(PYTHON AND PLUMB_GPU)
  add_test(NAME kernels.matrix COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/ci/matrix_kernels.py)
  set_tests_properties(kernels.matrix PROPERTIES LABELS unit TIMEOUT 300 SKIP_RETURN_CODE 77)

  # Indices that would wrap in arrays larger than any device here has room for.
  add_test(NAME kernels.indices COMMAND ${PYTHON} ${PROJECT_SOURCE_DIR}/ci/kernel_indices.py)
  set_tests_properties(kernels.indices PROPERTIES LABELS unit TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
