/* Names in folders and lists, with the suspicion that both deserve: for data sets, and for the folders of predictions
   that are scored against them.

   A name from a list or from meta.json becomes part of a path, so a name that could lead out of the data set (a slash,
   "..") is refused; one with control characters is refused because it would break every report that shows it. */
#ifndef REEL_DATASETS_FOLDER_H
#define REEL_DATASETS_FOLDER_H

#include "core/error.h"

#include <stddef.h>

typedef struct {
    int count, room;
    char **name;
} reel_names;

reel_status reel_names_add(reel_names *names, const char *text, size_t length, reel_error *error);
void reel_names_sort(reel_names *names);
void reel_names_free(reel_names *names);

/* Everything in a folder that is not hidden, sorted by bytes. */
reel_status reel_names_in_folder(reel_names *names, const char *folder, reel_error *error);

/* Links are followed. */
bool reel_is_folder(const char *path);
bool reel_is_file(const char *path);

/* printf into a new string; NULL (with the error set) when memory is refused. */
char *reel_path(reel_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* NULL when the name may become part of a path, otherwise what is wrong with it. */
const char *reel_name_fault(const char *name, size_t length);

/* The name as it can stand in a message: short, and on one line. Returns `buffer`. */
enum { REEL_SHOWN = 80 };
const char *reel_show(char buffer[REEL_SHOWN], const char *name);

#endif
