/* SPDX-License-Identifier: MIT */
/* The pieces of fuzz_board: what a guest may do to the board's chips, and guest code. */
#pragma once

#include "machine/board.h"
#include "tests/fuzz/fuzz.h"

/** A random address: RAM, ROM, the VGA window, BARs, edges, or anywhere. */
u64 board_address(struct fuzz *f, const struct pc *pc);

/** One operation or a short sequence of them, as a driver (or a broken one) would do it. */
void board_operation(struct fuzz *f, struct pc *pc);

/** Network cards: registers, rings, frames from outside. */
void board_network(struct fuzz *f, struct pc *pc);

/** Let guest time pass, firing at most some thousands of events. */
void board_step(struct pc *pc, u64 ns);

/** Put random code into RAM, and whatever leads the CPU there in real or protected mode. */
void board_guest_code(struct fuzz *f, struct pc *pc);

/** What the CPU's reset leads to: linear address 7C00h. */
#define BOARD_CODE 0x7c00u
