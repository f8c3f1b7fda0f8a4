/* See crc32.h. table[k][b] is the checksum of byte b followed by k zero bytes. */
#include "core/crc32.h"

#include <pthread.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "eight bytes are loaded as one little-endian word");

typedef struct {
    uint32_t table[8][256];
} slices;

static slices castagnoli, ieee;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(slices *s, uint32_t polynomial)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? polynomial : 0);
        s->table[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++) {
            uint32_t before = s->table[k - 1][b];
            s->table[k][b] = (before >> 8) ^ s->table[0][before & 255];
        }
}

static void fill_both(void)
{
    fill(&castagnoli, 0x82f63b78u);
    fill(&ieee, 0xedb88320u);
}

static uint32_t update(const slices *s, uint32_t crc, const unsigned char *p, size_t bytes)
{
    pthread_once(&once, fill_both);
    crc = ~crc;
    for (; bytes >= 8; bytes -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = s->table[7][word & 255] ^ s->table[6][word >> 8 & 255] ^ s->table[5][word >> 16 & 255] ^
              s->table[4][word >> 24 & 255] ^ s->table[3][word >> 32 & 255] ^ s->table[2][word >> 40 & 255] ^
              s->table[1][word >> 48 & 255] ^ s->table[0][word >> 56];
    }
    for (; bytes > 0; bytes--, p++) crc = (crc >> 8) ^ s->table[0][(crc ^ *p) & 255];
    return ~crc;
}

uint32_t reel_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    return update(&castagnoli, crc, data, bytes);
}

uint32_t reel_crc32(uint32_t crc, const void *data, size_t bytes)
{
    return update(&ieee, crc, data, bytes);
}
