/* See temporary.h. */
#include "tests/support/temporary.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS = 64, RING = 8, PATH = 512 };

static char folders[FOLDERS][PATH];
static int used;

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about, (void)kind, (void)walk;
    return remove(path);
}

static void remove_all(void)
{
    for (int i = 0; i < used; i++) nftw(folders[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *temporary_folder(void)
{
    const char *base = getenv("TMPDIR");
    if (used == FOLDERS) abort();
    if (used == 0) atexit(remove_all);
    snprintf(folders[used], PATH, "%s/reel-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folders[used])) abort();
    return folders[used++];
}

const char *temporary_path(const char *folder, const char *name)
{
    static char ring[RING][PATH * 2];
    static int next;
    char *path = ring[next++ % RING];
    snprintf(path, sizeof ring[0], "%s/%s", folder, name);
    return path;
}

int temporary_entries(const char *folder)
{
    int count = -2;
    DIR *directory = opendir(folder);
    if (!directory) return -1;
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

static int write_whole(int fd, const char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, from, bytes);
        if (n <= 0) return 0;
        from += n;
        bytes -= (size_t)n;
    }
    return 1;
}

int temporary_file(const char *path, const void *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return 0;
    int done = write_whole(fd, data, bytes);
    return close(fd) == 0 && done;
}

const char *temporary_memory_file(const void *data, size_t bytes)
{
    static char path[64];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("reel-test", MFD_CLOEXEC);
        if (fd < 0) abort();
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 || !write_whole(fd, data, bytes)) abort();
    return path;
}
