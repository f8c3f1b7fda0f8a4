/* safetensors: eight bytes of header length, a JSON header that names each tensor's type, shape and place, and the
   values, back to back. The format cannot carry programs; what makes readers of it unsafe is sizes that are believed.

   The reader refuses a file unless it is exact: every byte belongs to one tensor, every size follows from a shape
   without overflow, the last one ends where the file ends. It is stricter than the format in what only hostile files
   use: the header begins with '{', is at most 8 MiB and holds at most some 30,000 tensors (the format: 100,000,000
   bytes), names hold no control characters, entries no unknown keys, shapes at most eight dimensions. Values are read
   with pread(), never mapped. Headers cost at most 48 MiB of memory, whatever they hold.

   Files written here carry checksums in `__metadata__`, and reading checks them, so that no flipped bit goes unseen:

       reel.header.crc32c   CRC-32C of the length and the header, its own eight digits taken as zeros; always first
       reel.crc32c          CRC-32C of each tensor's values, in the order of the file

   Other tools ignore them; files of other tools, which lack both, are read without. */
#ifndef REEL_MODELS_SAFETENSORS_H
#define REEL_MODELS_SAFETENSORS_H

#include "models/stored.h"

typedef struct {
    char *key, *value;
} reel_metadata;

typedef struct {
    char *path;
    int fd;
    size_t count;
    reel_stored *tensors; /* sorted by name */
    size_t metadata_count;
    reel_metadata *metadata;
    bool has_checksums;
} reel_safetensors;

/* Reads and checks the header. On failure there is nothing to close. */
reel_status reel_safetensors_open(reel_safetensors *file, const char *path, reel_error *error);
void reel_safetensors_close(reel_safetensors *file);

const reel_stored *reel_safetensors_find(const reel_safetensors *file, const char *name); /* NULL when absent */
const char *reel_safetensors_metadata(const reel_safetensors *file, const char *key);     /* NULL when absent */

/* Reads all values of one tensor of this file into `buffer` of tensor->bytes bytes and compares the checksum. */
reel_status reel_safetensors_read(const reel_safetensors *file, const reel_stored *tensor, void *buffer,
                                  reel_error *error);

/* Reads every tensor for its checksum only. */
reel_status reel_safetensors_verify(const reel_safetensors *file, reel_error *error);

/* A tensor to write. Where `data` is NULL, `fetch` puts the values into a buffer; it is called twice, once for the
   checksum and once for writing, and must give the same values. */
typedef struct {
    const char *name;
    reel_stored_dtype dtype;
    reel_shape shape;
    const void *data;
    reel_status (*fetch)(void *context, void *buffer, reel_error *error);
    void *context;
} reel_stored_source;

/* Replaces `path` as core/file.h does. Tensors are ordered by element size, largest first, then by name; the values
   begin at a multiple of 64 bytes. Metadata keys that begin with "reel.crc32c" or "reel.header." are reserved. */
reel_status reel_safetensors_write(const char *path, const reel_stored_source *tensors, size_t count,
                                   const reel_metadata *metadata, size_t metadata_count, reel_error *error);

#endif
