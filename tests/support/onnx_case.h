/* One case of a folder such as ../shared/data/onnx_flat: a node of ONNX with its attributes, inputs and expected
   outputs, and for many the expected gradients. case.txt has a line an item, fields between blanks:

       op NAME
       attr KEY int|float|ints|floats|string VALUE...
       input I in_I.npy DTYPE SHAPE          SHAPE 1x3x4x4 or "scalar"
       input I none                          an optional input left out
       output I out_I.npy DTYPE SHAPE
       cotangent 0 cot_0.npy                 the gradients are those of sum(cotangent * output 0)
       grad I grad_I.npy                     with respect to input I
       nograd REASON

   A file that says anything else, or whose arrays contradict it, is refused. */
#ifndef REEL_TESTS_ONNX_CASE_H
#define REEL_TESTS_ONNX_CASE_H

#include "core/npy.h"

enum { ONNX_INPUTS = 24, ONNX_OUTPUTS = 12, ONNX_ATTRS = 24, ONNX_LIST = 16, ONNX_TEXT = 128 };

typedef struct {
    char key[48];
    char kind; /* 'i', 'f', 's'; lists have a count other than 1, or `list` */
    bool list;
    int count;
    double number[ONNX_LIST];
    int64_t integer[ONNX_LIST];
    char text[ONNX_TEXT];
} onnx_attr;

typedef struct {
    bool present;
    reel_npy array;
} onnx_value;

typedef struct {
    char name[ONNX_TEXT], op[48];
    int attrs, inputs, outputs; /* one more than the largest number seen */
    onnx_attr attr[ONNX_ATTRS];
    onnx_value input[ONNX_INPUTS], output[ONNX_OUTPUTS], gradient[ONNX_INPUTS], cotangent;
} onnx_case;

/* Reads FOLDER/NAME; false and a reason when it cannot be trusted. Free it in either case. */
bool onnx_case_read(onnx_case *c, const char *folder, const char *name, char *why, size_t size);
void onnx_case_free(onnx_case *c);

#endif
