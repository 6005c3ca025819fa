/*
 * What the fuzz targets share. A target is a file fuzz_<module>.c with LLVMFuzzerTestOneInput: it
 * gives foreign bytes to a reader and checks what its header promises. clang links it with
 * libFuzzer, gcc with replay.c. README.md says how to add one.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/text_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* Stays on in every build, unlike assert. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

/* What every function with a struct err promises: err, which was zeroed before the call, tells of
 * a failure if and only if there was one, in valid UTF-8. */
void fuzz_check_outcome(bool succeeded, const struct err *err);

/* For outputs that stay untouched on failure: paint before, check after. */
void fuzz_paint(void *object, size_t bytes);
bool fuzz_is_painted(const void *object, size_t bytes);

bool fuzz_is_utf8(const char *text, size_t length);

/* The input as it is taken apart from its beginning; what is not there reads as zeros. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

uint8_t fuzz_take_byte(struct fuzz_input *input);
/* Big-endian. */
int64_t fuzz_take_int64(struct fuzz_input *input);
/* Everything up to the next byte `end`, which is passed over, or to the end of the input. */
struct text_view fuzz_take_until(struct fuzz_input *input, uint8_t end);
/* Returns owned: a text that ends in NUL, cut at its first NUL. */
char *fuzz_text(struct text_view view);

/*
 * An independent reading of a decimal number with digits and an exponent of a few digits: writes
 * the shortest plain text ("-12.5") to plain, which has room for bytes. False for what it does not
 * read or has no room for.
 */
bool fuzz_plain_decimal(struct text_view number, char *plain, size_t bytes);

#endif
