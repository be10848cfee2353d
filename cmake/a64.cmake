# SPDX-License-Identifier: MIT
# Cross build for ARM64 on Debian. TURBO86_A64_SYSROOT holds the libraries (./test makes it); tests
# run under qemu's user-mode emulation, of the processor TURBO86_A64_CPU: max has everything that qemu
# knows, cortex-a53 what ARMv8.0 has.
if(NOT TURBO86_A64_CPU)
    set(TURBO86_A64_CPU max)
endif()
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TURBO86_A64_SYSROOT TURBO86_A64_CPU)
set(CMAKE_SYSROOT ${TURBO86_A64_SYSROOT})
set(CMAKE_FIND_ROOT_PATH ${TURBO86_A64_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-aarch64-static -cpu ${TURBO86_A64_CPU} -L ${TURBO86_A64_SYSROOT})

set(ENV{PKG_CONFIG_SYSROOT_DIR} ${TURBO86_A64_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${TURBO86_A64_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig)
