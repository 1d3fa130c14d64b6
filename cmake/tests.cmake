# CTest entries from the tables: one per op, route and budget, written by the program itself after it is
# built, so that a new row is a new test without an edit here.
set(listed ${PROJECT_BINARY_DIR}/generated/ctest_routes.cmake)
add_custom_command(TARGET plumb POST_BUILD
  COMMAND $<TARGET_FILE:plumb> list ctest --program $<TARGET_FILE:plumb> --out ${listed}
          --corpus ${PROJECT_SOURCE_DIR}/conformance/corpus VERBATIM)
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${listed})
