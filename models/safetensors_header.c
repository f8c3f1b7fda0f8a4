/* See safetensors_header.h. A parsed JSON value costs some 50 to 350 bytes, a byte pair such as "[]" of text one value:
   the bounds below keep the tree under 40 MiB. A tensor is one object and, with its keys, up to 17 values. */
#include "models/safetensors_header.h"

#include <string.h>

#include "core/crc32.h"

enum { DEPTH = 3, OBJECTS = 1 << 15, VALUES = 1 << 18 };

const char *reel_header_scan(const char *text, size_t length)
{
    size_t depth = 0, objects = 0, values = 0;
    bool string = false;
    if (length == 0 || text[0] != '{') return "expected a JSON object, beginning with '{'";
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (string) {
            if (c == '\\') i++;
            string = c != '"';
        } else if (c == '"')
            string = true;
        else if (c == '{' || c == '[') {
            objects += c == '{';
            values++;
            if (++depth > DEPTH) return "expected at most three levels of nesting";
        } else if (c == '}' || c == ']') {
            if (depth-- == 0) return "expected balanced brackets";
        } else if (c == ',')
            values++;
        if (objects > OBJECTS || values > VALUES) return "expected at most some 30,000 tensors";
    }
    return NULL;
}

const char *reel_header_checksum_digits(const char *text, size_t length)
{
    static const char begin[] = "{\"__metadata__\":{\"" REEL_HEADER_CHECKSUM "\":\"";
    size_t n = sizeof begin - 1;
    return length >= n + 9 && memcmp(text, begin, n) == 0 && text[n + 8] == '"' ? text + n : NULL;
}

uint32_t reel_header_checksum(const char *text, size_t length, const char *digits)
{
    unsigned char prefix[REEL_HEADER_PREFIX];
    for (int i = 0; i < REEL_HEADER_PREFIX; i++) prefix[i] = (unsigned char)((uint64_t)length >> 8 * i);
    uint32_t crc = reel_crc32c(0, prefix, sizeof prefix);
    crc = reel_crc32c(crc, text, (size_t)(digits - text));
    crc = reel_crc32c(crc, "00000000", 8);
    return reel_crc32c(crc, digits + 8, length - (size_t)(digits + 8 - text));
}
