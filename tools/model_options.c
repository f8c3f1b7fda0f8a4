/* See model_options.h. */
#include "tools/model_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const models[] = {"s2s", "s2s+memory", "s2s+distance", "s2s++"};
static const char *const tops[] = {"compact", "fcn", "authors"};
static const char *const keys[REEL_MODEL_METADATA] = {"reel.model", "reel.top",    "reel.width",
                                                      "reel.size",  "reel.border", "reel.bin"};

reel_status reel_model_options_settle(reel_model_options *o, reel_error *error)
{
    if (o->border < o->bin)
        return reel_fail(error, REEL_USAGE, "--bin %d is wider than --border %d; one class would be left", o->bin,
                         o->border);
    o->config = (reel_s2s_config){.top = (reel_s2s_top)o->top, .width = o->width, .border = o->border, .bin = o->bin};
    reel_s2s_named(&o->config, models[o->model]);
    o->real = o->dtype == REEL_FP64 ? REEL_F64 : REEL_F32;
    o->bf16 = o->dtype == REEL_MIXED;
    return REEL_OK;
}

size_t reel_model_options_metadata(const reel_model_options *o, reel_model_text *t, reel_metadata *metadata)
{
    snprintf(t->text[0], sizeof *t->text, "%s", models[o->model]);
    snprintf(t->text[1], sizeof *t->text, "%s", tops[o->top]);
    snprintf(t->text[2], sizeof *t->text, "%.17g", o->width);
    snprintf(t->text[3], sizeof *t->text, "%dx%d", o->size.height, o->size.width);
    snprintf(t->text[4], sizeof *t->text, "%d", o->border);
    snprintf(t->text[5], sizeof *t->text, "%d", o->bin);
    for (int i = 0; i < REEL_MODEL_METADATA; i++) metadata[i] = (reel_metadata){(char *)keys[i], t->text[i]};
    return REEL_MODEL_METADATA;
}

static bool read_word(const char *text, const char *const *words, int count, int *which)
{
    for (int i = 0; text && i < count; i++)
        if (!strcmp(text, words[i])) return *which = i, true;
    return false;
}

static bool read_int(const char *text, int *value)
{
    char *end;
    long v = text ? strtol(text, &end, 10) : 0;
    *value = (int)v;
    return text && end != text && !*end && v >= 1 && v <= 255;
}

reel_status reel_model_options_from(reel_model_options *o, const reel_safetensors *file, reel_error *error)
{
    const char *value[REEL_MODEL_METADATA];
    for (int i = 0; i < REEL_MODEL_METADATA; i++) value[i] = reel_safetensors_metadata(file, keys[i]);
    char *end = NULL;
    o->width = value[2] ? strtod(value[2], &end) : 0;
    bool ok = read_word(value[0], models, 4, &o->model) && read_word(value[1], tops, 3, &o->top) && end && !*end &&
              o->width >= 0.001 && o->width <= 4 && read_int(value[4], &o->border) && read_int(value[5], &o->bin);
    ok = ok && value[3] && reel_size_read(&o->size, value[3]) && o->size.height >= 8 && o->size.height <= 4096 &&
         o->size.width >= 8 && o->size.width <= 4096;
    if (!ok)
        return reel_fail(error, REEL_BAD_DATA,
                         "%s: its metadata do not tell the network (reel.model, reel.top, reel.width, reel.size, "
                         "reel.border, reel.bin); was it written by reel train?",
                         file->path);
    return reel_model_options_settle(o, error);
}

reel_status reel_model_options_match(const reel_model_options *o, const reel_safetensors *file, reel_error *error)
{
    reel_model_text text;
    reel_metadata mine[REEL_MODEL_METADATA];
    reel_model_options_metadata(o, &text, mine);
    for (int i = 0; i < REEL_MODEL_METADATA; i++) {
        const char *theirs = reel_safetensors_metadata(file, keys[i]);
        if (!theirs || strcmp(theirs, mine[i].value) != 0)
            return reel_fail(error, REEL_USAGE, "%s: was trained with %s %s, this run asks for %s", file->path,
                             keys[i] + strlen("reel."), theirs ? theirs : "?", mine[i].value);
    }
    return REEL_OK;
}
