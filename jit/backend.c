/* SPDX-License-Identifier: MIT */
#include "jit/backend.h"

const struct backend *backend_host(void)
{
#if defined(__x86_64__)
    return &x64_backend;
#else
    return NULL;
#endif
}
