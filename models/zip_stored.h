/* The table of contents of a zip archive whose members are stored, not compressed, as PyTorch writes them: APPNOTE 4.3
   with its 64-bit extension (4.5.3). The members' bytes stay in the file. Compressed or encrypted members, archives in
   several volumes, members outside the file and two members of one name are refused. */
#ifndef REEL_MODELS_ZIP_STORED_H
#define REEL_MODELS_ZIP_STORED_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

typedef struct {
    char *name;
    uint64_t offset, bytes;
    uint32_t checksum; /* CRC-32; zero where the writer left it out */
} reel_zip_member;

typedef struct {
    size_t count;
    reel_zip_member *members; /* sorted by name */
} reel_zip;

reel_status reel_zip_read(reel_zip *zip, int fd, const char *path, uint64_t size, reel_error *error);
void reel_zip_free(reel_zip *zip);
const reel_zip_member *reel_zip_find(const reel_zip *zip, const char *name);

#endif
