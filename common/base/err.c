#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* After a cut, drops the bytes of a character that lost its end. */
static void drop_partial_character(char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t expected = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length - start + 1 < expected)
        text[start - 1] = '\0';
}

/* Foreign text within a message may be no UTF-8, or be cut within a character by its format. */
static void replace_malformed(char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length;) {
        size_t character = utf8_character_bytes((const uint8_t *)text + i, length - i);
        if (character == 0)
            text[i] = '?';
        i += character > 0 ? character : 1;
    }
}

static void format_message(struct err *err, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void format_message(struct err *err, const char *format, va_list arguments)
{
    /* Formatted aside first: an argument may be the old message. */
    char text[sizeof err->message];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= sizeof text)
        drop_partial_character(text, sizeof text - 1);
    replace_malformed(text);
    memcpy(err->message, text, sizeof text);
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_message(err, format, arguments);
    va_end(arguments);
    err->code = code;
    err->retriable = false;
    return -1;
}

int err_set_retriable(struct err *err, enum err_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_message(err, format, arguments);
    va_end(arguments);
    err->code = code;
    err->retriable = true;
    return -1;
}

static void append_message(struct err *err, const char *text)
{
    size_t used = strlen(err->message);
    int length = snprintf(err->message + used, sizeof err->message - used, ": %s", text);
    if (length >= 0 && (size_t)length >= sizeof err->message - used)
        drop_partial_character(err->message, sizeof err->message - 1);
}

int err_set_errno(struct err *err, const char *format, ...)
{
    int cause = errno;
    char description[128];
    va_list arguments;
    va_start(arguments, format);
    format_message(err, format, arguments);
    va_end(arguments);
    err->code = ERR_SYSTEM;
    err->retriable = false;
    append_message(err, strerror_r(cause, description, sizeof description));
    return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
    struct err inner = *err;
    va_list arguments;
    va_start(arguments, format);
    format_message(err, format, arguments);
    va_end(arguments);
    append_message(err, inner.message);
    return -1;
}

const char *err_code_name(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return "none";
    case ERR_CONFIG:
        return "config";
    case ERR_PROTOCOL:
        return "protocol";
    case ERR_UNSUPPORTED:
        return "unsupported";
    case ERR_OUT_OF_RANGE:
        return "out_of_range";
    case ERR_LIMIT:
        return "limit";
    case ERR_NETWORK:
        return "network";
    case ERR_TIMEOUT:
        return "timeout";
    case ERR_RATE_LIMIT:
        return "rate_limit";
    case ERR_REMOTE:
        return "remote";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_UNAUTHORIZED:
        return "unauthorized";
    case ERR_FULL:
        return "full";
    case ERR_STOPPED:
        return "stopped";
    case ERR_SYSTEM:
        return "system";
    }
    return "unknown";
}
