# instrument(TARGET SCOPE SANITIZER...)  compiles TARGET, or what links to it, with sanitizers that end the program at
# what they find.
function(instrument target scope)
  list(JOIN ARGN "," kinds)
  # Instrumented code makes GCC warn of what is not there.
  target_compile_options(${target} ${scope}
    $<$<CXX_COMPILER_ID:GNU>:-Wno-error> -fsanitize=${kinds} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  if("address" IN_LIST ARGN)
    # A quarter of the time to compile; the address sanitizer stops at most of what they are for.
    target_compile_options(${target} ${scope} -fno-sanitize=null,object-size,pointer-overflow,vptr)
  endif()
  target_link_options(${target} ${scope} -fsanitize=${kinds})
endfunction()
