/* Throw-away folders and memory files for tests that need a path. */
#ifndef REEL_TESTS_TEMPORARY_H
#define REEL_TESTS_TEMPORARY_H

#include <stddef.h>

/* A fresh folder; its name stays valid until the end of the program, which removes it with everything in it. */
const char *temporary_folder(void);

/* "FOLDER/name" in a small ring of buffers: good until the eighth call after it. */
const char *temporary_path(const char *folder, const char *name);

/* Entries of a folder besides "." and "..". */
int temporary_entries(const char *folder);

/* Plain create-and-write without the library's own writer; false on failure. */
int temporary_file(const char *path, const void *data, size_t bytes);

/* A file that lives in memory only, behind a path in /proc/self/fd: fast enough for thousands of hostile inputs. Each
   call replaces the contents of the one before. */
const char *temporary_memory_file(const void *data, size_t bytes);

#endif
