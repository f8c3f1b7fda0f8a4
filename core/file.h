/* Files, read with suspicion and written so that a crash cannot lose them.

   Reading: only regular files, opened without blocking (a FIFO would wait for ever), sized before memory is asked for,
   and read by read(), never mapped: a mapped file that shrinks kills the process.

   Writing: the new contents go to `path.tmp.<pid>` in the same directory, and take the name `path` by rename() only
   after everything was written, fsync()ed and close()d without error; the directory is synced last. At every moment
   `path` is the whole old file or the whole new one. A symbolic link at `path` is replaced, not followed. */
#ifndef REEL_CORE_FILE_H
#define REEL_CORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* Makes a folder and those above it, where they are not there yet. A path that takes more bytes than this, its zero
   counted, is refused: so a buffer of twice as many holds it with the name of a file in it, which is 255 at most. */
enum { REEL_FOLDER_PATH = 1024 };
reel_status reel_make_folders(const char *path, reel_error *error);

/* Opens a regular file for reading and tells its size. *fd is -1 on failure. */
reel_status reel_file_open(const char *path, int *fd, uint64_t *bytes, reel_error *error);

/* Exactly `bytes` bytes from `offset` on; an end of file before that is REEL_BAD_DATA (the file shrank meanwhile).
   `path` is for messages. */
reel_status reel_file_read_at(int fd, const char *path, uint64_t offset, void *buffer, size_t bytes, reel_error *error);

/* A whole file of at most `limit` bytes; free *data with reel_free. One zero byte follows the contents, so that a text
   can be used as a string; it is not counted in *bytes. */
reel_status reel_file_read(const char *path, size_t limit, unsigned char **data, size_t *bytes, reel_error *error);

/* One writer a path at a time within a process. After a failed write the temporary file is gone already, the writer
   stays failed, and commit repeats the failure; so only commit must be checked. */
typedef struct {
    char *path, *temporary;
    unsigned char *buffer;
    size_t used;
    int fd, directory;
    reel_error failure;
} reel_writer;

/* Creates the temporary file. */
reel_status reel_writer_open(reel_writer *writer, const char *path, reel_error *error);
/* Appends; small pieces are gathered in a buffer. */
reel_status reel_writer_write(reel_writer *writer, const void *data, size_t bytes, reel_error *error);

/* Flush, fsync, close, rename, fsync of the directory. Ends the writer whatever it returns; on failure the old file is
   as it was (except when only the last step fails, which the message says: the new file is then in place). */
reel_status reel_writer_commit(reel_writer *writer, reel_error *error);

/* Ends the writer and removes the temporary file. Harmless after commit and on a writer that failed to open. */
void reel_writer_abandon(reel_writer *writer);

/* Replaces `path` by these bytes: open, write, commit. */
reel_status reel_file_write(const char *path, const void *data, size_t bytes, reel_error *error);

#endif
