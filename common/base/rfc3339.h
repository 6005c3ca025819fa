/* Times as text, always UTC, proleptic Gregorian. Pure. */
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"

enum { RFC3339_BYTES = 32 }; /* room for any of the forms below with NUL */

/* "2020-12-08T09:08:57.715Z": exactly three decimals, the form that OKX's signature wants. */
void rfc3339_format_ms(int64_t unix_ms, char text[RFC3339_BYTES]);
/* "2020-12-08T09:08:57.715042Z" */
void rfc3339_format_us(int64_t unix_us, char text[RFC3339_BYTES]);
/* "2020-12-08T09:08:57Z"; milliseconds are cut off. */
void rfc3339_format_s(int64_t unix_ms, char text[RFC3339_BYTES]);

/* Reads "2020-01-01" (midnight UTC) or a full date-time with optional fraction and Z or ±hh:mm. */
int rfc3339_parse_ms(struct text_view text, int64_t *unix_ms, struct err *err) MUST_CHECK;
int rfc3339_parse_us(struct text_view text, int64_t *unix_us, struct err *err) MUST_CHECK;

struct civil_time {
    int year, month, day;     /* month 1-12, day 1-31 */
    int hour, minute, second; /* 0-23, 0-59, 0-59 */
    int weekday;              /* 0 = Sunday */
};
struct civil_time civil_from_unix_s(int64_t unix_s);
int64_t civil_to_unix_s(int year, int month, int day, int hour, int minute, int second);

#endif
