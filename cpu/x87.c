/* SPDX-License-Identifier: MIT */
/* State of the x87 and SSE register files: reset, status and tag words, saving. */
#include "cpu/x87.h"

#include <string.h>

// clang-format off
static const struct field f80_fields[] = {
    FIELD(struct f80, mant),
    FIELD(struct f80, sign_exp),
    FIELDS_END,
};

const struct field x87_fields[] = {
    FIELD_STRUCTS(struct x87_state, r, f80_fields),
    FIELD(struct x87_state, control),
    FIELD(struct x87_state, status),
    FIELD(struct x87_state, top),
    FIELD(struct x87_state, empty),
    FIELD(struct x87_state, ferr),
    FIELD(struct x87_state, opcode),
    FIELD(struct x87_state, cs),
    FIELD(struct x87_state, ds),
    FIELD(struct x87_state, ip),
    FIELD(struct x87_state, dp),
    FIELDS_END,
};

static const struct field vec_fields[] = {
    FIELD_ARRAY(union vec, q),
    FIELDS_END,
};

const struct field sse_fields[] = {
    FIELD_STRUCTS(struct sse, v, vec_fields),
    FIELD(struct sse, mxcsr),
    FIELDS_END,
};
// clang-format on

void x87_reset(struct x87_state *f)
{
    *f = (struct x87_state){.control = X87_CW_RESET, .absent = f->absent};
}

void x87_init(struct x87_state *f)
{
    f->control = X87_CW_INIT;
    f->status = 0;
    f->top = 0;
    f->empty = 0xFF;
    f->ferr = false;
    f->opcode = 0;
    f->cs = f->ds = 0;
    f->ip = f->dp = 0;
}

void sse_reset(struct sse *s)
{
    memset(s, 0, sizeof(*s));
    s->mxcsr = MXCSR_INIT;
}

u16 x87_status_word(const struct x87_state *f)
{
    u16 b = f->status & X87_SW_ES ? X87_SW_B : 0;

    return (u16)((f->status & ~(X87_SW_TOP | X87_SW_B)) | f->top << 11 | b);
}

void x87_set_status_word(struct x87_state *f, u16 sw)
{
    f->top = sw >> 11 & 7;
    f->status = sw & ~(X87_SW_TOP | X87_SW_B | X87_SW_ES);
    if (sw & ~f->control & X87_CW_MASKS)
        f->status |= X87_SW_ES;
}

u16 x87_tag_word(const struct x87_state *f)
{
    u16 tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        u64 mant = f->r[i].mant;
        u16 exp = f->r[i].sign_exp & 0x7FFF;
        u16 tag;

        if (f->empty >> i & 1)
            tag = 3;
        else if (!exp && !mant)
            tag = 1;
        else if (!exp || exp == 0x7FFF || !(mant >> 63))
            tag = 2;
        else
            tag = 0;
        tags |= (u16)(tag << 2 * i);
    }
    return tags;
}
