# Takes the files of docs/first-op.md out of PAGE into the folder OUT: of each the last block below its path, and of the
# CPU route with the function that the page puts in place of the wrong one.
file(READ ${PAGE} page)

# The text of `in` between two marks, the first of them where it stands last.
function(between out in begin end)
  string(FIND "${in}" "${begin}" at REVERSE)
  if(at EQUAL -1)
    message(FATAL_ERROR "${PAGE} has no ${begin}")
  endif()
  string(LENGTH "${begin}" skip)
  math(EXPR at "${at} + ${skip}")
  string(SUBSTRING "${in}" ${at} -1 rest)
  string(FIND "${rest}" "${end}" length)
  string(SUBSTRING "${rest}" 0 ${length} text)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

foreach(side reference optimized gpu)
  between(text "${page}" "`${side}/array/moving_sum.cpp`\n\n```cpp\n" "```")
  if(side STREQUAL optimized)
    between(wrong "${text}" "// Each sum from" "void moving_sum(")
    between(right "${page}" "```cpp\nvoid slide(" "```")
    string(REPLACE "// Each sum from${wrong}" "void slide(${right}\n" text "${text}")
  endif()
  file(WRITE ${OUT}/${side}.inc "${text}")
endforeach()
