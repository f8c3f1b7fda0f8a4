/* See folder.h. */
#include "datasets/folder.h"

#include "core/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_LIMIT = 255, MOST_NAMES = 1 << 22 };

reel_status reel_names_add(reel_names *names, const char *text, size_t length, reel_error *error)
{
    if (names->count >= MOST_NAMES)
        return reel_fail(error, REEL_BAD_DATA, "a list has more than %d names; split it", MOST_NAMES);
    if (!reel_make_room(&names->name, names->count, &names->room, 64, sizeof *names->name))
        return reel_fail_memory(error);
    char *copy = reel_alloc(length + 1, 1);
    if (!copy) return reel_fail_memory(error);
    memcpy(copy, text, length);
    names->name[names->count++] = copy;
    return REEL_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void reel_names_sort(reel_names *names)
{
    if (names->count > 1) qsort(names->name, (size_t)names->count, sizeof *names->name, by_bytes);
}

void reel_names_free(reel_names *names)
{
    for (int i = 0; i < names->count; i++) reel_free(names->name[i]);
    reel_free(names->name);
    *names = (reel_names){0};
}

reel_status reel_names_in_folder(reel_names *names, const char *folder, reel_error *error)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return reel_fail(error, REEL_IO, "%s: opening the folder failed: %s; check the path and its permissions",
                         folder, strerror(errno));
    reel_status status = REEL_OK;
    const struct dirent *entry;
    errno = 0;
    while (status == REEL_OK && (entry = readdir(stream))) {
        if (entry->d_name[0] != '.') status = reel_names_add(names, entry->d_name, strlen(entry->d_name), error);
        errno = 0;
    }
    if (status == REEL_OK && errno != 0)
        status = reel_fail(error, REEL_IO, "%s: listing the folder failed: %s", folder, strerror(errno));
    closedir(stream);
    reel_names_sort(names);
    return status;
}

bool reel_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

bool reel_is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

char *reel_path(reel_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *path = length < 0 ? NULL : reel_alloc((size_t)length + 1, 1);
    if (!path) {
        reel_fail_memory(error);
        return NULL;
    }
    va_start(arguments, format);
    vsnprintf(path, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return path;
}

static bool is_control(char c)
{
    return (unsigned char)c < 32 || c == 127;
}

const char *reel_name_fault(const char *name, size_t length)
{
    if (length == 0) return "is empty";
    if (length > NAME_LIMIT) return "is longer than 255 bytes";
    if (memchr(name, '/', length)) return "has a slash, which could lead out of the data set";
    if (name[0] == '.') return "begins with a dot";
    for (size_t i = 0; i < length; i++)
        if (is_control(name[i])) return "has a control character";
    return NULL;
}

const char *reel_show(char buffer[REEL_SHOWN], const char *name)
{
    int length = snprintf(buffer, REEL_SHOWN, "%s", name);
    for (char *c = buffer; *c; c++)
        if (is_control(*c)) *c = '?';
    if (length >= REEL_SHOWN) memcpy(buffer + REEL_SHOWN - 4, "...", 4);
    return buffer;
}
