/* libFuzzer: any bytes as a safetensors file. Build by hand:

     clang -g -O1 -std=c11 -D_GNU_SOURCE -I. -fsanitize=fuzzer,address,undefined tests/fuzz/safetensors.c \
       tests/support/temporary.c core/{error,memory,file,crc32}.c models/{stored,safetensors,safetensors_header}.c \
       -ljansson -lpthread -o fuzz-safetensors && ./fuzz-safetensors -max_total_time=60 */
#include <stdlib.h>

#include "core/memory.h"
#include "models/safetensors.h"
#include "tests/support/temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_safetensors file;
    reel_error error = {0};
    if (reel_safetensors_open(&file, temporary_memory_file(data, size), &error) == REEL_OK) {
        for (size_t i = 0; i < file.count; i++) {
            if (file.tensors[i].bytes > size) abort();
            void *values = reel_alloc_raw(file.tensors[i].bytes, 1);
            if (values) reel_safetensors_read(&file, &file.tensors[i], values, &error);
            reel_free(values);
        }
        reel_safetensors_verify(&file, &error);
    } else if (error.status == REEL_OK)
        abort();
    reel_safetensors_close(&file);
    return 0;
}
