#include "base/utf8.h"

size_t utf8_character_bytes(const uint8_t *bytes, size_t length)
{
    uint8_t lead = bytes[0];
    size_t count = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint8_t second_min = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t second_max = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;

    if (lead > 0xF4 || count > length)
        return 0;
    if (count >= 2 && (bytes[1] < second_min || bytes[1] > second_max))
        return 0;
    for (size_t i = 2; i < count; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return count;
}
