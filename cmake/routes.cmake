# The routes of every family. The globs pick up a new file; the tables name it.
file(GLOB_RECURSE optimized CONFIGURE_DEPENDS optimized/*.cpp)
file(GLOB_RECURSE simd CONFIGURE_DEPENDS optimized/*.simd.cpp)
list(FILTER optimized EXCLUDE REGEX "\\.simd\\.cpp$")
if(PLUMB_GPU)
  find_package(OpenCL REQUIRED)
  file(GLOB_RECURSE gpu CONFIGURE_DEPENDS gpu/*.cpp)
  file(GLOB_RECURSE kernels CONFIGURE_DEPENDS gpu/kernels/*.cl)
  set(embedded ${PROJECT_BINARY_DIR}/generated/kernels.inc)
  add_custom_command(OUTPUT ${embedded} DEPENDS ${kernels} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    COMMAND ${CMAKE_COMMAND} -DOUT=${embedded} -DIN=${PROJECT_SOURCE_DIR}/gpu/kernels
            -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  add_custom_target(embedded_kernels DEPENDS ${embedded})
endif()

# The instruction sets for which vectors are compiled, with their flags, and what tells the code where one is missing.
function(choose_isas sanitizers)
  set(isas base)
  set(without "")
  if("thread" IN_LIST sanitizers)  # who runs when is the same in each
    set(without PLUMB_ONE_ISA)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(isas base avx2 avx512)
    if(sanitizers AND EXISTS /proc/cpuinfo)  # such a build is for this machine
      file(STRINGS /proc/cpuinfo features REGEX "^flags" LIMIT_COUNT 1)
      if(NOT features MATCHES "avx512bw")
        list(REMOVE_ITEM isas avx512)
        set(without PLUMB_WITHOUT_AVX512)
      endif()
    endif()
  endif()
  set(isas ${isas} PARENT_SCOPE)
  set(without ${without} PARENT_SCOPE)
endfunction()
set(flags_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)

# A part of the routes: its objects join the library.
macro(add_part part)
  target_link_libraries(${part} PRIVATE plumb_options)
  target_compile_definitions(${part} PRIVATE ${without})
  target_sources(${name} PRIVATE $<TARGET_OBJECTS:${part}>)
endmacro()

# Those that need no device. optimized/<wing>/<family>.simd.cpp is compiled once per instruction set and chosen at run
# time.
macro(add_cpu_routes)
  add_library(plumb_optimized${suffix} OBJECT ${optimized})
  target_compile_options(plumb_optimized${suffix} PRIVATE ${fast_code})
  precompile(plumb_optimized${suffix})
  add_part(plumb_optimized${suffix})
  foreach(isa IN LISTS isas)
    set(part plumb_${isa}${suffix})
    add_library(${part} OBJECT ${simd})
    target_compile_options(${part} PRIVATE ${fast_code} ${flags_${isa}} -Wno-psabi)
    # GCC 12.2 moves halves of vectors through MMX registers and leaves the x87 unit unusable: every long double that
    # the thread computes from there on is NaN.
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
      target_compile_options(${part} PRIVATE -mno-mmx)
    endif()
    target_precompile_headers(${part} PRIVATE ${PROJECT_SOURCE_DIR}/optimized/simd.h)
    target_compile_definitions(${part} PRIVATE PLUMB_ISA_NAME=${isa})
    add_part(${part})
  endforeach()
endmacro()

macro(add_gpu_routes)
  add_library(plumb_gpu${suffix} OBJECT ${gpu})
  add_dependencies(plumb_gpu${suffix} embedded_kernels)
  target_link_libraries(plumb_gpu${suffix} PRIVATE OpenCL::OpenCL)
  target_include_directories(plumb_gpu${suffix} PRIVATE ${PROJECT_BINARY_DIR}/generated)
  target_compile_options(plumb_gpu${suffix} PRIVATE ${quickly_compiled})
  precompile(plumb_gpu${suffix})
  add_part(plumb_gpu${suffix})
endmacro()

# add_routes(NAME SUFFIX SANITIZERS)  the static library NAME of all routes; its parts end in SUFFIX (NAME_parts), and
# NAME_without is what tells their code, and what chooses among it, that an instruction set is missing. For sanitizers
# the library holds the code that they can be used with; add_sanitized() instruments it.
function(add_routes name suffix sanitizers)
  choose_isas("${sanitizers}")
  add_library(${name} STATIC)
  target_link_libraries(${name} PUBLIC plumb_core)
  add_cpu_routes()
  set(parts plumb_optimized${suffix})
  foreach(isa IN LISTS isas)
    list(APPEND parts plumb_${isa}${suffix})
  endforeach()
  if(PLUMB_GPU)
    target_link_libraries(${name} PUBLIC OpenCL::OpenCL ${CMAKE_DL_LIBS})
    if(suffix AND "thread" IN_LIST sanitizers)  # what a driver does with threads is not its to judge
      target_sources(${name} PRIVATE $<TARGET_OBJECTS:plumb_gpu>)
    else()
      add_gpu_routes()
      list(APPEND parts plumb_gpu${suffix})
    endif()
  endif()
  set(${name}_parts ${parts} PARENT_SCOPE)
  set(${name}_without ${without} PARENT_SCOPE)
endfunction()
