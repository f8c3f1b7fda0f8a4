/* See file.h. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

enum { BUFFER = 1 << 18, CHUNK = 1 << 30 };

static reel_status fail_errno(reel_error *error, const char *path, const char *doing, const char *hint)
{
    return reel_fail(error, REEL_IO, "%s: %s failed: %s%s", path, doing, strerror(errno), hint);
}

/* ---- folders ---- */

reel_status reel_make_folders(const char *path, reel_error *error)
{
    char part[REEL_FOLDER_PATH];
    if (!*path) return reel_fail(error, REEL_USAGE, "the path of a folder is empty");
    if (strlen(path) >= sizeof part) return reel_fail(error, REEL_USAGE, "%.80s…: the path is too long", path);
    strcpy(part, path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) *slash = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            return reel_fail(error, REEL_IO, "%s: cannot make this folder: %s", part, strerror(errno));
        if (!slash) return REEL_OK;
        *slash = '/';
    }
}

/* ---- reading ---- */

reel_status reel_file_open(const char *path, int *fd, uint64_t *bytes, reel_error *error)
{
    struct stat about;
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*fd < 0) return fail_errno(error, path, "opening", "; check the path and its permissions");
    reel_status status = REEL_OK;
    if (fstat(*fd, &about) != 0)
        status = fail_errno(error, path, "asking for its size", "");
    else if (!S_ISREG(about.st_mode))
        status = reel_fail(error, REEL_IO, "%s: is %s, expected a regular file; give the path of a file", path,
                           S_ISDIR(about.st_mode) ? "a directory" : "a pipe, socket or device");
    if (status != REEL_OK) {
        close(*fd);
        *fd = -1;
        return status;
    }
    *bytes = (uint64_t)about.st_size;
    return REEL_OK;
}

reel_status reel_file_read_at(int fd, const char *path, uint64_t offset, void *buffer, size_t bytes, reel_error *error)
{
    unsigned char *to = buffer;
    while (bytes > 0) {
        ssize_t n = pread(fd, to, bytes < CHUNK ? bytes : CHUNK, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(error, path, "reading", "");
        if (n == 0)
            return reel_fail(error, REEL_BAD_DATA,
                             "%s: ends at byte %llu, %zu bytes early; it was cut while it was read", path,
                             (unsigned long long)offset, bytes);
        to += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return REEL_OK;
}

reel_status reel_file_read(const char *path, size_t limit, unsigned char **data, size_t *bytes, reel_error *error)
{
    int fd;
    uint64_t size = 0;
    *data = NULL;
    *bytes = 0;
    reel_status status = reel_file_open(path, &fd, &size, error);
    if (status != REEL_OK) return status;
    unsigned char *block = NULL;
    if (size > limit || size >= SIZE_MAX)
        status = reel_fail(error, REEL_BAD_DATA, "%s: has %llu bytes, expected at most %zu", path,
                           (unsigned long long)size, limit);
    else if (!(block = reel_alloc_raw((size_t)size + 1, 1)))
        status = reel_fail_memory(error);
    else
        status = reel_file_read_at(fd, path, 0, block, (size_t)size, error);
    close(fd);
    if (status != REEL_OK || !block) {
        reel_free(block);
        return status;
    }
    block[size] = 0;
    *data = block;
    *bytes = (size_t)size;
    return REEL_OK;
}

/* ---- writing ---- */

static void release(reel_writer *w)
{
    if (w->fd >= 0) close(w->fd);
    if (w->directory >= 0) close(w->directory);
    reel_free(w->path);
    reel_free(w->temporary);
    reel_free(w->buffer);
    *w = (reel_writer){.fd = -1, .directory = -1, .failure = w->failure};
}

/* Keeps the first failure in the writer, takes the temporary file away and tells the caller. */
static reel_status give_up(reel_writer *w, const char *doing, reel_error *error)
{
    fail_errno(&w->failure, w->path, doing,
               errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                   ? "; the old file is unchanged; free some space or save elsewhere"
                   : "; the old file is unchanged");
    reel_writer_abandon(w);
    return reel_fail(error, w->failure.status, "%s", w->failure.text);
}

static reel_status fail_open(reel_writer *w, reel_status status, const reel_error *error)
{
    w->failure.status = status;
    if (error) w->failure = *error;
    release(w);
    return status;
}

/* The directory part of a path, in a buffer as long as the path plus 2. */
static void directory_of(const char *path, char *directory)
{
    const char *slash = strrchr(path, '/');
    size_t length = !slash || slash == path ? 1 : (size_t)(slash - path);
    memcpy(directory, slash ? path : ".", length);
    directory[length] = 0;
}

/* Refuses what a rename would destroy (a device, say) and tells the permissions that the new file shall keep. */
static reel_status look_at_target(const char *path, mode_t *mode, reel_error *error)
{
    struct stat about;
    size_t length = strlen(path);
    *mode = 0;
    if (length == 0 || path[length - 1] == '/')
        return reel_fail(error, REEL_IO, "'%s': names no file; give the path of a file to write", path);
    if (lstat(path, &about) != 0) {
        if (errno == ENOENT) return REEL_OK;
        return fail_errno(error, path, "looking at the file to replace", "; check the path and its permissions");
    }
    if (!S_ISREG(about.st_mode) && !S_ISLNK(about.st_mode))
        return reel_fail(error, REEL_IO, "%s: is not a regular file, so it is not replaced; give another path", path);
    if (S_ISREG(about.st_mode)) *mode = about.st_mode & 0777;
    return REEL_OK;
}

static reel_status open_both(reel_writer *w, mode_t mode, reel_error *error)
{
    directory_of(w->path, w->temporary);
    w->directory = open(w->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->directory < 0)
        return fail_errno(error, w->path, "opening its directory", "; create it or give another path");
    sprintf(w->temporary, "%s.tmp.%ld", w->path, (long)getpid());
    unlink(w->temporary); /* left by a process of the same number that was killed */
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd < 0) return fail_errno(error, w->temporary, "creating", "; check the directory's permissions");
    if (mode && fchmod(w->fd, mode) != 0) {
        reel_status status = fail_errno(error, w->temporary, "setting permissions", "");
        unlink(w->temporary);
        return status;
    }
    return REEL_OK;
}

reel_status reel_writer_open(reel_writer *w, const char *path, reel_error *error)
{
    mode_t mode;
    size_t length = strlen(path);
    *w = (reel_writer){.fd = -1, .directory = -1};
    w->path = reel_copy_string(path);
    w->temporary = reel_alloc(length + 32, 1);
    w->buffer = reel_alloc_raw(BUFFER, 1);
    if (!w->path || !w->temporary || !w->buffer) return fail_open(w, reel_fail_memory(error), error);
    reel_status status = look_at_target(path, &mode, error);
    if (status == REEL_OK) status = open_both(w, mode, error);
    return status == REEL_OK ? REEL_OK : fail_open(w, status, error);
}

static bool write_all(int fd, const unsigned char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, from, bytes < CHUNK ? bytes : CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO;
        if (n <= 0) return false;
        from += n;
        bytes -= (size_t)n;
    }
    return true;
}

static reel_status repeat_failure(reel_writer *w, reel_error *error)
{
    if (w->failure.status == REEL_OK) return reel_fail(error, REEL_USAGE, "a writer was used after its end");
    return reel_fail(error, w->failure.status, "%s", w->failure.text);
}

reel_status reel_writer_write(reel_writer *w, const void *data, size_t bytes, reel_error *error)
{
    if (w->fd < 0) return repeat_failure(w, error);
    if (bytes == 0) return REEL_OK;
    if (bytes > BUFFER - w->used) {
        size_t used = w->used;
        w->used = 0;
        if (!write_all(w->fd, w->buffer, used)) return give_up(w, "writing", error);
    }
    if (bytes >= BUFFER) return write_all(w->fd, data, bytes) ? REEL_OK : give_up(w, "writing", error);
    memcpy(w->buffer + w->used, data, bytes);
    w->used += bytes;
    return REEL_OK;
}

reel_status reel_writer_commit(reel_writer *w, reel_error *error)
{
    if (w->fd < 0) return repeat_failure(w, error);
    if (!write_all(w->fd, w->buffer, w->used)) return give_up(w, "writing", error);
    if (fsync(w->fd) != 0) return give_up(w, "syncing to disk", error);
    int fd = w->fd;
    w->fd = -1; /* whatever close says, the descriptor is gone */
    if (close(fd) != 0 && errno != EINTR) return give_up(w, "closing", error);
    if (rename(w->temporary, w->path) != 0) return give_up(w, "renaming the new file into place", error);
    w->temporary[0] = 0;
    reel_status status = REEL_OK;
    if (fsync(w->directory) != 0 && errno != EINVAL && errno != ENOTSUP) /* some file systems cannot, and need not */
        status = fail_errno(error, w->path, "syncing its directory",
                            "; the new file is in place but may not survive a loss of power");
    release(w);
    return status;
}

void reel_writer_abandon(reel_writer *w)
{
    if (w->temporary && w->temporary[0]) unlink(w->temporary);
    release(w);
}

reel_status reel_file_write(const char *path, const void *data, size_t bytes, reel_error *error)
{
    reel_writer writer;
    reel_status status = reel_writer_open(&writer, path, error);
    if (status != REEL_OK) return status;
    status = reel_writer_write(&writer, data, bytes, error);
    return status == REEL_OK ? reel_writer_commit(&writer, error) : status;
}
