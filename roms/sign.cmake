# SPDX-License-Identifier: MIT
#
# cmake -DNASM= -DSOURCE= -DINCLUDE= -DOUTPUT= -P sign.cmake: assembles an option ROM twice, the
# second time with the CHECKSUM that makes all its bytes add up to 0 mod 256.

function(assemble checksum)
    execute_process(
        COMMAND ${NASM} -Werror -f bin -I${INCLUDE} -DCHECKSUM=${checksum} -o ${OUTPUT} ${SOURCE}
        RESULT_VARIABLE status)
    if(status)
        message(FATAL_ERROR "nasm failed on ${SOURCE}")
    endif()
endfunction()

assemble(0)
file(READ ${OUTPUT} hex HEX)
string(REGEX MATCHALL ".." bytes "${hex}")
set(sum 0)
foreach(byte IN LISTS bytes)
    math(EXPR sum "${sum} + 0x${byte}")
endforeach()
math(EXPR checksum "(256 - ${sum} % 256) % 256")
assemble(${checksum})
