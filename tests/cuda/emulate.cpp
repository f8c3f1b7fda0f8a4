/* See cuda_runtime.h: the fibres, the memory and the runtime calls of the CUDA of tests. */
#include "tests/cuda/streams.h"

#include <map>
#include <memory>
#include <stdio.h>
#include <sys/mman.h>
#include <vector>

emulated_machine emulated = {.devices = 1, .memory = (size_t)1 << 31};
dim3 threadIdx, blockIdx, blockDim, gridDim;
unsigned char emulate_slot[1024][8];

[[noreturn]] static void stop(const char *why)
{
    fprintf(stderr, "emulated CUDA: %s (block %u,%u,%u thread %u,%u,%u)\n", why, blockIdx.x, blockIdx.y, blockIdx.z,
            threadIdx.x, threadIdx.y, threadIdx.z);
    abort();
}

void emulate_stop(const char *why)
{
    stop(why);
}

/* --- fibres --- */

enum { MOST_THREADS = 1024, STACK = 1 << 17 };
enum { RUNNING, ENDED, AT_BLOCK, AT_WARP };

struct fibre {
    void *stack; /* where it was left */
    char *memory;
};
static fibre fibres[MOST_THREADS], *current, *resting[MOST_THREADS];
static fibre *of_thread[MOST_THREADS]; /* that waits for it to go on */
static int state[MOST_THREADS];
static unsigned made, rested, threads, started, thread;
static void *scheduler; /* its stack */
static const std::function<void()> *block_body;

/* Leaves this stack, noting in *here where it was left, and goes on where `there` was left. On x86-64 the registers
   that a function must keep are pushed, which is a hundred times faster than the library's way. */
#ifdef __x86_64__
asm(".globl emulate_switch\n"
    "emulate_switch:\n"
    "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
    "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n"
    "ret\n");
extern "C" void emulate_switch(void **here, void *there);

static void *begin_fibre(char *memory, void (*main)())
{
    void **top = (void **)(((uintptr_t)memory + STACK) & ~(uintptr_t)63);
    *--top = nullptr; /* so that the stack is aligned as after a call */
    *--top = (void *)main;
    return top - 6;
}
#else
#include <ucontext.h>

static void emulate_switch(void **here, void *there)
{
    ucontext_t mine;
    *here = &mine;
    swapcontext(&mine, (ucontext_t *)there);
}

static void *begin_fibre(char *memory, void (*main)())
{
    ucontext_t *context = (ucontext_t *)memory;
    getcontext(context);
    context->uc_stack.ss_sp = context + 1;
    context->uc_stack.ss_size = STACK - sizeof *context;
    makecontext(context, main, 0);
    return context;
}
#endif

unsigned emulate_thread()
{
    return thread;
}

static void become(unsigned number)
{
    thread = number;
    threadIdx = dim3(number % blockDim.x, number / blockDim.x % blockDim.y, number / blockDim.x / blockDim.y);
}

/* What a fibre does: threads that have not begun, until there are none; then it rests until the next block. */
static void fibre_main()
{
    for (;;) {
        while (started < threads) {
            unsigned mine = emulated.backwards ? threads - 1 - started : started;
            started++;
            become(mine);
            state[mine] = RUNNING;
            (*block_body)();
            state[thread] = ENDED;
        }
        resting[rested++] = current;
        emulate_switch(&current->stack, scheduler);
    }
}

static void resume(fibre *f)
{
    current = f;
    emulate_switch(&scheduler, f->stack);
}

static fibre *idle_fibre()
{
    if (rested) return resting[--rested];
    fibre *f = &fibres[made++];
    f->memory = (char *)malloc(STACK);
    if (!f->memory) stop("no memory for a stack");
    f->stack = begin_fibre(f->memory, fibre_main);
    return f;
}

static void wait_at(int barrier)
{
    unsigned mine = thread;
    dim3 place = threadIdx; /* kept here, which is cheaper than to divide anew */
    state[mine] = barrier;
    of_thread[mine] = current;
    emulate_switch(&current->stack, scheduler);
    thread = mine;
    threadIdx = place;
    state[mine] = RUNNING;
}

void __syncthreads()
{
    wait_at(AT_BLOCK);
}

void emulate_warp_barrier(unsigned mask)
{
    if (mask != 0xffffffffu) stop("a shuffle of part of a warp is not emulated");
    wait_at(AT_WARP);
}

static bool all_at(unsigned first, unsigned end, int barrier)
{
    for (unsigned t = first; t < end; t++)
        if (state[t] != barrier) return false;
    return true;
}

static void release(unsigned first, unsigned end)
{
    for (unsigned t = first; t < end; t++) resume(of_thread[t]);
}

static void run_block()
{
    started = 0;
    while (started < threads) resume(idle_fibre());
    while (!all_at(0, threads, ENDED)) {
        bool moved = false;
        for (unsigned first = 0; first < threads; first += warpSize) {
            unsigned end = first + warpSize < threads ? first + warpSize : threads;
            if (!all_at(first, end, AT_WARP)) continue;
            release(first, end);
            moved = true;
        }
        if (moved) continue;
        if (!all_at(0, threads, AT_BLOCK)) stop("a barrier that not all threads reach");
        release(0, threads);
    }
    emulate_end_of_block();
}

/* --- memory: one range of addresses, open to kernels and copies only --- */

static const size_t GUARD = 256;
static const unsigned char SENTINEL = 0xa5, UNWRITTEN = 0xff; /* floats of it are NaN */
static char *heap, *heap_end;
static std::map<char *, size_t> blocks; /* by the address given out */
static size_t in_use;

static void open_heap(bool open)
{
    if (heap_end > heap && mprotect(heap, (size_t)(heap_end - heap), open ? PROT_READ | PROT_WRITE : PROT_NONE))
        stop("mprotect failed");
}

void emulate_open_memory(bool open)
{
    open_heap(open);
}

static size_t rounded(size_t bytes)
{
    return (bytes + GUARD - 1) / GUARD * GUARD;
}

/* Bytes of the heap up to an address, in whole pages of any machine. */
static size_t pages(const char *end)
{
    return ((size_t)(end - heap) + 0xffff) / 0x10000 * 0x10000;
}

/* `count` bytes, less than two guards, are as they were put there. */
static bool untouched(const char *at, size_t count)
{
    static unsigned char guard[2 * GUARD];
    if (!guard[0]) memset(guard, SENTINEL, sizeof guard);
    return !memcmp(at, guard, count);
}

static void check_guards(const char *at, size_t bytes)
{
    if (!untouched(at - GUARD, GUARD)) stop("something was written before an allocation");
    if (!untouched(at + bytes, rounded(bytes) + GUARD - bytes)) stop("something was written behind an allocation");
}

/* The first gap that holds the block and its guards. */
static char *find_gap(size_t bytes)
{
    char *at = heap + GUARD;
    for (auto &block : blocks) {
        if (at + rounded(bytes) + GUARD <= block.first - GUARD) return at;
        at = block.first + rounded(block.second) + 2 * GUARD;
    }
    return at;
}

cudaError_t cudaMalloc(void **block, size_t bytes)
{
    *block = nullptr;
    if (!emulate_allowed()) return cudaErrorStreamCaptureUnsupported;
    if (bytes > emulated.memory || in_use + bytes > emulated.memory) return cudaErrorMemoryAllocation;
    if (!heap) {
        size_t room = (size_t)1 << 36;
        heap = (char *)mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (heap == MAP_FAILED) stop("no addresses for the device's memory");
        heap_end = heap;
    }
    char *at = find_gap(bytes), *end = at + rounded(bytes) + GUARD;
    if (end > heap_end) heap_end = heap + pages(end);
    open_heap(true);
    memset(at - GUARD, SENTINEL, (size_t)(end - at) + GUARD);
    memset(at, UNWRITTEN, bytes);
    open_heap(false);
    blocks[at] = bytes;
    in_use += bytes;
    *block = at;
    return cudaSuccess;
}

cudaError_t cudaFree(void *block)
{
    if (!block) return cudaSuccess;
    auto found = blocks.find((char *)block);
    if (found == blocks.end()) stop("cudaFree of what was not allocated");
    if (!emulate_allowed()) return cudaErrorStreamCaptureUnsupported;
    emulate_drain_all(); /* cudaFree waits for the device */
    open_heap(true);
    check_guards(found->first, found->second);
    open_heap(false);
    in_use -= found->second;
    blocks.erase(found);
    heap_end = blocks.empty() ? heap : heap + pages(blocks.rbegin()->first + rounded(blocks.rbegin()->second) + GUARD);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *unused, size_t *total)
{
    *total = emulated.memory;
    *unused = emulated.memory - in_use;
    return cudaSuccess;
}

static bool on_device(const void *at, size_t bytes)
{
    auto next = blocks.upper_bound((char *)at);
    if (next == blocks.begin()) return false;
    --next;
    return (char *)at >= next->first && (char *)at + bytes <= next->first + next->second;
}

/* --- pinned memory of the host --- */

static std::map<char *, size_t> pinned;

cudaError_t cudaMallocHost(void **block, size_t bytes)
{
    *block = emulate_allowed() ? malloc(bytes ? bytes : 1) : nullptr;
    if (!*block) return cudaErrorMemoryAllocation;
    pinned[(char *)*block] = bytes;
    emulated.objects++;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *block)
{
    if (!block) return cudaSuccess;
    if (!pinned.erase((char *)block)) stop("cudaFreeHost of what was not allocated");
    emulate_drain_all();
    free(block);
    emulated.objects--;
    return cudaSuccess;
}

static bool is_pinned(const void *at)
{
    auto next = pinned.upper_bound((char *)at);
    return next != pinned.begin() && (char *)at < (--next)->first + next->second;
}

/* --- copies: from and to pinned memory when the stream comes to it; memory that is not pinned is read at once, and
   written before the call returns --- */

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    if (bytes && ((kind != cudaMemcpyDeviceToHost && !on_device(to, bytes)) ||
                  (kind != cudaMemcpyHostToDevice && !on_device(from, bytes))))
        return cudaErrorInvalidValue;
    bool late = kind == cudaMemcpyDeviceToDevice || is_pinned(kind == cudaMemcpyHostToDevice ? from : to);
    if (late) return emulate_enqueue(stream, [=] { memmove(to, from, bytes); });
    if (emulate_captures(stream)) {
        emulate_allowed();
        return cudaErrorStreamCaptureUnsupported;
    }
    if (kind == cudaMemcpyHostToDevice) {
        auto copy = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + bytes);
        return emulate_enqueue(stream, [=] { memcpy(to, copy->data(), copy->size()); });
    }
    cudaError_t result = emulate_enqueue(stream, [=] { memmove(to, from, bytes); });
    emulate_open_memory(true);
    emulate_drain(stream);
    emulate_open_memory(false);
    return result;
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream)
{
    if (bytes && !on_device(to, bytes)) return cudaErrorInvalidValue;
    return emulate_enqueue(stream, [=] { memset(to, value, bytes); });
}

/* --- launches --- */

static void run_grid(dim3 grid, dim3 block, const std::function<void()> &body)
{
    gridDim = grid;
    blockDim = block;
    threads = block.x * block.y * block.z;
    block_body = &body;
    uint64_t blocks_to_run = (uint64_t)grid.x * grid.y * grid.z;
    for (uint64_t i = 0; i < blocks_to_run; i++) {
        uint64_t b = emulated.backwards ? blocks_to_run - 1 - i : i;
        blockIdx = dim3((unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y));
        run_block();
    }
    for (auto &b : blocks) check_guards(b.first, b.second);
}

cudaError_t emulate_launch(const cudaLaunchConfig_t *config, std::function<void()> body)
{
    dim3 grid = config->gridDim, block = config->blockDim;
    uint64_t count = (uint64_t)block.x * block.y * block.z;
    emulated.launches++;
    if (emulated.fail_launch && !--emulated.fail_launch) return cudaErrorInvalidConfiguration;
    if (!count || count > MOST_THREADS || block.z > 64 || !grid.x || !grid.y || !grid.z || grid.x > INT32_MAX ||
        grid.y > 65535 || grid.z > 65535)
        return cudaErrorInvalidConfiguration;
    return emulate_enqueue(config->stream, [=] {
        run_grid(grid, block, body);
        emulated.clock += 1;
    });
}

/* --- the rest of the runtime --- */

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
    case cudaSuccess:
        return "cudaSuccess";
    case cudaErrorMemoryAllocation:
        return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
        return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver:
        return "cudaErrorInsufficientDriver";
    case cudaErrorIllegalAddress:
        return "cudaErrorIllegalAddress";
    case cudaErrorStreamCaptureUnsupported:
        return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
        return "cudaErrorStreamCaptureInvalidated";
    default:
        return "cudaError";
    }
}
const char *cudaGetErrorString(cudaError_t)
{
    return "as emulated";
}
cudaError_t cudaGetLastError()
{
    return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int *count)
{
    *count = emulated.devices > 0 ? emulated.devices : 0;
    return emulated.devices < 0 ? cudaErrorInsufficientDriver : emulated.devices ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int device)
{
    return device < emulated.devices ? cudaSuccess : cudaErrorInvalidDevice;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int)
{
    *properties = cudaDeviceProp{"emulated GPU", emulated.old_gpu ? 5 : 9, 0};
    return cudaSuccess;
}
cudaError_t emulate_attributes(cudaFuncAttributes *attributes)
{
    attributes->binaryVersion = 90;
    return emulated.old_gpu ? cudaErrorNoKernelImageForDevice : cudaSuccess;
}
