/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON in place: a value is the text that begins with it. All functions expect text that
 * json_skip() has accepted.
 *
 * Reference: [RFC8259].
 */
#pragma once

#include "base/types.h"

enum json_state {
    JSON_WHOLE, /* *@end is behind the value */
    JSON_SHORT, /* the text ends within it   */
    JSON_WRONG,
};

/** Is there a value at @text? White space before it is skipped. */
enum json_state json_skip(const char *text, const char **end);

/** The value of member @name of the object @value; NULL: there is none, or @value is no object. */
const char *json_member(const char *value, const char *name);
/** The element behind @element of the array @value, the first one for NULL; NULL: that was all. */
const char *json_next(const char *value, const char *element);

/** A string as UTF-8, cut to @size. False: @value is NULL or none. */
bool json_string(const char *value, char *out, size_t size);
/** A number without its fraction. */
bool json_number(const char *value, i64 *out);
/** true and false. */
bool json_bool(const char *value, bool *out);

/** @text as a JSON string with its quotes, cut to @size. */
void json_quote(const char *text, char *out, size_t size);
