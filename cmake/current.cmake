# Fails unless PAGE is what `PROGRAM list WHAT --markdown` prints.
execute_process(COMMAND ${PROGRAM} list ${WHAT} --markdown OUTPUT_VARIABLE now RESULT_VARIABLE failed)
file(READ ${PAGE} page)
if(failed OR NOT now STREQUAL page)
  message(FATAL_ERROR "${PAGE} is stale: plumb list ${WHAT} --markdown > ${PAGE}")
endif()
