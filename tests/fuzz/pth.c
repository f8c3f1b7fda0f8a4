/* libFuzzer: any bytes as a PyTorch file of either container. Build by hand:

     clang -g -O1 -std=c11 -D_GNU_SOURCE -I. -fsanitize=fuzzer,address,undefined tests/fuzz/pth.c \
       tests/support/temporary.c core/{error,memory,file,crc32}.c \
       models/{stored,pickle,pickle_machine,zip_stored,pth_storage,pth}.c \
       -lpthread -o fuzz-pth && ./fuzz-pth -max_total_time=60 */
#include <stdlib.h>

#include "core/memory.h"
#include "models/pth.h"
#include "tests/support/temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_pth file;
    reel_error error = {0};
    if (reel_pth_open(&file, temporary_memory_file(data, size), &error) == REEL_OK) {
        for (size_t i = 0; i < file.count && i < 100; i++) {
            if (file.tensors[i].bytes > size) abort();
            void *values = reel_alloc_raw(file.tensors[i].bytes, 1);
            if (values) reel_pth_read(&file, &file.tensors[i], values, &error);
            reel_free(values);
        }
    } else if (error.status == REEL_OK)
        abort();
    reel_pth_close(&file);
    return 0;
}
