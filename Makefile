# reel: `make help` lists what can be made. Sources are found by folder: a new file needs no line here.

ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc)
DESTDIR ?=
VERSION := $(shell sed -n 's/.*REEL_VERSION "\(.*\)".*/\1/p' tools/commands.h)

ifdef SANITIZE
B   := build/sanitize
OPT := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else
B   := build
OPT := -O3 -fno-math-errno -fno-trapping-math
endif

# The CUDA backend is compiled where nvcc 12 or later is, with the runtime library and the header of cuBLASLt beside it;
# CUDA=1 and CUDA=0 force it.
# NVCC_ARCH: sm numbers; the first of them also as PTX, which drivers compile for later GPUs.
ifndef NVCC
NVCC := $(or $(shell command -v nvcc 2>/dev/null),$(wildcard /usr/local/cuda/bin/nvcc),nvcc)
endif
NVCC_ARCH ?= 80 90a
CUDA_HOME := $(patsubst %/bin/,%,$(dir $(realpath $(shell command -v $(NVCC) 2>/dev/null))))
CUDA_H    := $(wildcard $(patsubst %,%/cublasLt.h,$(CUDA_HOME)/include $(CUDA_HOME)/targets/$(shell uname -m)-linux/include))
CUDART    := $(firstword $(if $(and $(CUDA_HOME),$(CUDA_H)),$(wildcard $(patsubst %,$(CUDA_HOME)/%/libcudart_static.a,lib64 lib \
             targets/$(shell uname -m)-linux/lib lib/$(shell uname -m)-linux-gnu))))
ifndef CUDA
CUDA := $(if $(SANITIZE),0,$(if $(CUDART),$(shell $(NVCC) --version | sed -n 's/.*release \([0-9]*\).*/\1/p' | \
        awk '$$1 >= 12 { print 1 }'),0))
CUDA := $(or $(CUDA),0)
endif
ifeq ($(filter 0 1,$(CUDA)),)
$(error CUDA=$(CUDA): 1 is with the CUDA backend, 0 without it)
endif
ifeq ($(CUDA)$(CUDART),1)
$(error CUDA=1: no nvcc with its libcudart_static.a and cublasLt.h is found on the PATH or in /usr/local/cuda; say NVCC=FILE or CUDA=0)
endif

PACKAGES := libjpeg libpng zlib jansson
CFLAGS   ?= -g
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wvla
ALL      := -std=c11 -D_GNU_SOURCE -I. -fPIC -fopenmp $(WARN) $(OPT) $(CFLAGS) -MMD -MP \
            $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm -lpthread

ROOMS    := core ops autograd backends backends/cpu models datasets
LIB_SRC  := $(sort $(foreach room,$(ROOMS),$(wildcard $(room)/*.c)))
CMD_SRC  := $(sort $(wildcard tools/*.c))
SUP_SRC  := $(sort $(wildcard tests/support/*.c tests/cases/*.c)) $(filter-out tools/reel.c,$(CMD_SRC))
TEST_SRC := $(sort $(wildcard tests/*.c))

CU_SRC   := $(sort $(wildcard backends/cuda/*.cu))
ifeq ($(CUDA),1)
CU_OBJ    := $(CU_SRC:%.cu=$(B)/obj/%.o)
CUDA_LIBS := -L$(dir $(CUDART)) -lcudart_static -lstdc++ -ldl -lrt
LIBS      += $(CUDA_LIBS)
else
LIB_SRC   += backends/cuda/absent.c
endif
CU_TEST  := $(sort $(wildcard tests/cuda/*.cu))
EMU_SRC  := $(sort $(wildcard tests/cuda/*.cpp))
EMU_OBJ  := $(patsubst %.cu,$(B)/emulated/%.o,$(CU_SRC) $(CU_TEST)) $(EMU_SRC:%.cpp=$(B)/emulated/%.o)

LIB_OBJ := $(CU_OBJ) $(LIB_SRC:%.c=$(B)/obj/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(B)/obj/%.o)
SUP_OBJ := $(SUP_SRC:%.c=$(B)/obj/%.o)
TESTS   := $(TEST_SRC:tests/%.c=$(B)/tests/%)
GPU_TESTS := $(addprefix $(B)/gpu/,test_cuda test_cuda_tensor test_cuda_training golden)

.PHONY: FORCE all help setup tests test gpu-tests test-cuda demo bench bench-cuda install uninstall docs lint format clean
all: $(B)/reel ## build build/reel (the default)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo "  make test SANITIZE=1   the tests under AddressSanitizer and UBSan, in build/sanitize"

setup: ## install what building needs, or say what is missing
	@CUDA=$(CUDA) tools/setup.sh build

tests: $(TESTS) $(B)/reel ## build the test programs in build/tests

test: ## set up, build and run all tests
	@CUDA=$(CUDA) tools/setup.sh test
	@$(MAKE) --no-print-directory -j$(JOBS) tests
	@B=$(B) tests/run.sh

gpu-tests: $(GPU_TESTS) $(B)/reel

test-cuda: ## set up, build and run the tests that need a GPU
	@CUDA=1 tools/setup.sh test
	@$(MAKE) --no-print-directory -j$(JOBS) CUDA=1 gpu-tests
	@B=$(B) tests/cuda/run.sh

demo: ## set up, build, train on built-in video, segment, score; results in build/demo
	@CUDA=$(CUDA) tools/setup.sh build
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@rm -rf build/demo && $(B)/reel demo --out build/demo

bench: ## time reel and torch by turns, print the ratios (half an hour; with QUICK=1 two minutes, to try it)
	@CUDA=$(CUDA) tools/setup.sh bench
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@python3 tools/compare_torch.py table $(if $(QUICK),--quick --rounds 1)

bench-cuda: ## time reel and torch on the first GPU by turns, print the ratios
	@CUDA=1 tools/setup.sh bench
	@$(MAKE) --no-print-directory -j$(JOBS) CUDA=1 all
	@python3 tools/compare_gpu.py

# Quoted, since a folder's name may have blanks in it.
install: all $(B)/libreel.so ## install the library, its headers, reel.pc and the command under PREFIX
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/lib/pkgconfig"
	install $(B)/reel "$(DESTDIR)$(PREFIX)/bin/reel"
	install -m 644 $(B)/libreel.a "$(DESTDIR)$(PREFIX)/lib/libreel.a"
	install -m 755 $(B)/libreel.so "$(DESTDIR)$(PREFIX)/lib/libreel.so.$(VERSION)"
	ln -sf libreel.so.$(VERSION) "$(DESTDIR)$(PREFIX)/lib/libreel.so"
	for room in $(filter-out backends/cpu,$(ROOMS)); do \
	    install -d "$(DESTDIR)$(PREFIX)/include/reel/$$room" && \
	    install -m 644 $$room/*.h "$(DESTDIR)$(PREFIX)/include/reel/$$room/" || exit 1; \
	done
	install -m 644 reel.h "$(DESTDIR)$(PREFIX)/include/reel/"
	install -m 644 ops/ops.def "$(DESTDIR)$(PREFIX)/include/reel/ops/"
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@PACKAGES@|$(PACKAGES)|; s|@CUDA_LIBS@|$(CUDA_LIBS)|' core/reel.pc.in \
	    > "$(DESTDIR)$(PREFIX)/lib/pkgconfig/reel.pc"

uninstall: ## remove what install put there
	rm -rf "$(DESTDIR)$(PREFIX)/include/reel"
	rm -f "$(DESTDIR)$(PREFIX)/bin/reel" "$(DESTDIR)$(PREFIX)"/lib/libreel.* "$(DESTDIR)$(PREFIX)/lib/pkgconfig/reel.pc"

docs: $(B)/reel ## write docs/reference.md from the sources
	@tools/reference.sh $(B)/reel > docs/reference.md.new && mv docs/reference.md.new docs/reference.md

lint: ## clang-format, cppcheck and clang-tidy
	@clang-format --dry-run -Werror $(shell git ls-files '*.c' '*.h')
	@cppcheck --quiet --enable=warning,performance,portability --suppressions-list=.cppcheck --error-exitcode=1 -I. \
	    $(LIB_SRC) $(CMD_SRC)
	@echo $(LIB_SRC) $(CMD_SRC) | xargs -n 1 sh -c 'echo "clang-tidy $$0"; \
	    clang-tidy --quiet $$0 -- -std=c11 -D_GNU_SOURCE -I. -fopenmp $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)'

format: ## run clang-format over the sources
	clang-format -i $(shell git ls-files '*.c' '*.h')

clean: ## remove build
	rm -rf build

$(B)/reel: $(CMD_OBJ) $(B)/libreel.a
	@echo "link $@"
	@$(CC) $(ALL) $^ -o $@ $(LIBS)

# What make was told, in files that are new only when that changes: what depends on them is then made again.
$(B)/cuda.libs: TOLD = $(CUDA_LIBS)
$(B)/nvcc.flags: TOLD = $(NVCC) $(NVCC_FLAGS)
$(B)/cuda.libs $(B)/nvcc.flags: FORCE
	@mkdir -p $(@D) && { echo '$(TOLD)' | cmp -s - $@ || echo '$(TOLD)' > $@; }

$(B)/libreel.a: $(LIB_OBJ) $(B)/cuda.libs
	@echo "archive $@"
	@rm -f $@ && ar rcs $@ $(LIB_OBJ)

$(B)/libreel.so: $(LIB_OBJ) $(B)/cuda.libs
	@echo "link $@"
	@$(CC) $(ALL) -shared -Wl,-soname,libreel.so.$(VERSION) -Wl,--exclude-libs,libcudart_static.a $(LIB_OBJ) -o $@ $(LIBS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(CC) $(ALL) -c $< -o $@

FIRST_ARCH := $(firstword $(NVCC_ARCH:%a=%))
NVCC_FLAGS := -std=c++20 -O1 -I. $(foreach a,$(NVCC_ARCH),-gencode arch=compute_$(a),code=sm_$(a)) \
              -gencode arch=compute_$(FIRST_ARCH),code=compute_$(FIRST_ARCH) \
              -Xcompiler -fPIC,-Wall,-Wextra,-Wno-missing-field-initializers
$(B)/obj/%.o: %.cu $(B)/nvcc.flags
	@mkdir -p $(@D)
	@echo "nvcc $<"
	@$(NVCC) $(NVCC_FLAGS) -MMD -MP -c $< -o $@

# The same sources for the CPU, with tests/cuda/cuda_runtime.h in the place of CUDA's. A wide access that is not aligned
# is an error on a GPU, and stops a test here.
CXX_FLAGS := -std=c++20 -I. -Itests/cuda -fPIC -Wall -Wextra -Wshadow -Wno-missing-field-initializers -Wno-unknown-pragmas \
             $(OPT:-O3=-O2) -fsanitize=alignment -fsanitize-undefined-trap-on-error $(CFLAGS) -MMD -MP
$(B)/emulated/%.o: %.cu
	@mkdir -p $(@D)
	@echo "c++ $<"
	@$(CXX) $(CXX_FLAGS) -x c++ -c $< -o $@
$(B)/emulated/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "c++ $<"
	@$(CXX) $(CXX_FLAGS) -c $< -o $@

$(B)/tests/%: $(B)/obj/tests/%.o $(SUP_OBJ) $(B)/libreel.a
	@mkdir -p $(@D)
	@echo "link $@"
	@$(CC) $(ALL) $(filter %.o,$^) $(filter %.a,$^) -o $@ $(shell pkg-config --libs check 2>/dev/null) $(LIBS)

# Matrix products are compared with OpenBLAS, which nothing else is linked with.
$(B)/obj/tests/test_gemm.o: ALL += $(shell pkg-config --cflags openblas 2>/dev/null)
$(B)/tests/test_gemm: LIBS += $(shell pkg-config --libs openblas 2>/dev/null)

# The CUDA backend in emulation comes before the library's own, and so in its place.
EMU_TESTS := $(filter $(B)/tests/test_cuda% $(B)/tests/golden,$(TESTS))
$(EMU_TESTS): $(EMU_OBJ)
$(EMU_TESTS): LIBS += -lstdc++

# The same tests for a real GPU, with the library's own backend.
$(B)/gpu/%: $(B)/obj/tests/%.o $(SUP_OBJ) $(CU_TEST:%.cu=$(B)/obj/%.o) $(B)/libreel.a
	@mkdir -p $(@D)
	@echo "link $@"
	@$(CC) $(ALL) $(filter %.o,$^) $(filter %.a,$^) -o $@ $(shell pkg-config --libs check 2>/dev/null) $(LIBS)

.PRECIOUS: $(B)/obj/%.o
-include $(CU_OBJ:.o=.d) $(CU_TEST:%.cu=$(B)/obj/%.d) $(EMU_OBJ:.o=.d) $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(SUP_OBJ:.o=.d) $(TEST_SRC:%.c=$(B)/obj/%.d)
