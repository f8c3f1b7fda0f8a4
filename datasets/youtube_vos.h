/* meta.json of YouTube-VOS, as text. Public because scoring reads the same file, and so that tests can feed it whole
   suites of JSON. */
#ifndef REEL_DATASETS_YOUTUBE_VOS_H
#define REEL_DATASETS_YOUTUBE_VOS_H

#include "core/error.h"

#include <stddef.h>

#include <jansson.h>

/* Any JSON text, strictly: a key that occurs twice in an object is refused, because one of the two would be lost
   without a word. NULL with the error set otherwise; give back with json_decref. */
json_t *reel_meta_parse(const char *text, size_t bytes, const char *path, reel_error *error);

#endif
