/* The storages of a PyTorch file: runs of values that tensors are views of. The containers differ in where they lie;
   this table hides it from models/pth.c. */
#ifndef REEL_MODELS_PTH_STORAGE_H
#define REEL_MODELS_PTH_STORAGE_H

#include "models/pickle.h"
#include "models/stored.h"

typedef struct {
    const char *key; /* not terminated; points into the pickle */
    size_t key_length;
    reel_stored_dtype dtype;
    size_t elements, bytes;
    uint64_t offset; /* in the file */
    uint32_t checksum;
    bool placed;
} reel_storage;

typedef struct {
    size_t count;
    reel_storage *at; /* sorted by key */
} reel_storages;

/* Collects the storages that a pickle names; the same key twice must mean the same. */
reel_status reel_storages_collect(reel_storages *list, const reel_pickle *pickle, const char *path, reel_error *error);
void reel_storages_free(reel_storages *list);
reel_storage *reel_storages_find(const reel_storages *list, const char *key, size_t length);

/* The object of either container and where its storages lie. `*text` is what the pickle points into. */
reel_status reel_pth_read_zip(int fd, const char *path, uint64_t size, unsigned char **text, reel_pickle *object,
                              reel_storages *storages, reel_error *error);
reel_status reel_pth_read_legacy(int fd, const char *path, uint64_t size, unsigned char **text, reel_pickle *object,
                                 reel_storages *storages, reel_error *error);

#endif
