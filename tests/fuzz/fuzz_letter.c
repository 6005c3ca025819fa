/* dead-letters: where a letter stands, as a command line or a header of a mark says it. */
#include "dead-letters/letter.h"

#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text((struct text_view){.data = (const char *)data, .length = size});
    char formatted[LETTER_POSITION_BYTES];
    struct letter_position position, again;
    struct err err = {0};

    fuzz_paint(&position, sizeof position);
    bool succeeded = letter_position_parse(text, &position, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    if (succeeded) {
        FUZZ_CHECK(position.partition >= 0 && position.offset >= 0);
        letter_position_format(position, formatted);
        FUZZ_CHECK(letter_position_parse(formatted, &again, &err) == 0);
        FUZZ_CHECK(again.partition == position.partition && again.offset == position.offset);
    } else {
        FUZZ_CHECK(fuzz_is_painted(&position, sizeof position));
    }
    free(text);
    return 0;
}
