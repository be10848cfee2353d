/* SPDX-License-Identifier: MIT */
#include "mmu/physmem.h"
