/* What the reader and the writer of safetensors must agree on. */
#ifndef REEL_MODELS_SAFETENSORS_HEADER_H
#define REEL_MODELS_SAFETENSORS_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REEL_HEADER_CHECKSUM "reel.header.crc32c"
#define REEL_DATA_CHECKSUMS "reel.crc32c"

enum {
    REEL_HEADER_FORMAT_LIMIT = 100000000, /* of the format */
    REEL_HEADER_LIMIT = 8 << 20,          /* of this reader, and so of this writer */
    REEL_HEADER_PREFIX = 8,               /* bytes of length before the header */
};

/* Looks a header over before it is parsed, so that the parser's memory is bounded: NULL, or what is wrong with it. */
const char *reel_header_scan(const char *text, size_t length);

/* A header that carries its own checksum has the eight digits at this fixed place; NULL for other headers. */
const char *reel_header_checksum_digits(const char *text, size_t length);

/* The checksum of length and header with those digits taken as zeros. */
uint32_t reel_header_checksum(const char *text, size_t length, const char *digits);

#endif
