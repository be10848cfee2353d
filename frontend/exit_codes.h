/* SPDX-License-Identifier: MIT */
#pragma once

enum exit_code {
#define EXIT_CODE(name, status, text) EXIT_CODE_##name = (status),
#include "frontend/exit_codes.def"
#undef EXIT_CODE
};
