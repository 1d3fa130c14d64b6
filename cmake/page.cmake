# Writes OUT: the parts of the HTML page in IN, each as a raw string, scripts in the order of SCRIPTS.
function(raw out file)
  file(READ ${IN}/${file} text)
  set(${out} "R\"__PART__(${text})__PART__\"" PARENT_SCOPE)
endfunction()
raw(page page.html)
raw(style style.css)
set(scripts "")
foreach(name IN LISTS SCRIPTS)
  raw(script ${name}.js)
  string(APPEND scripts "    ${script}\n")
endforeach()
file(WRITE ${OUT} "// Made by cmake/page.cmake.
constexpr std::string_view kPage = ${page};
constexpr std::string_view kStyle = ${style};
constexpr std::string_view kScript =
${scripts};
")
