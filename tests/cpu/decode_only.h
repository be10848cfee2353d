/* SPDX-License-Identifier: MIT */
/* For tests that decode and never execute: an empty table keeps the executors out of the link. */
#pragma once

#include "cpu/exec.h"

exec_fn *const exec_of[INSN__COUNT];
