# reel: `make help` lists the targets.
CC      ?= gcc
PREFIX  ?= /usr/local
B       := build
PACKAGES := openblas libjpeg libpng jansson

ROOMS   := core ops autograd backends backends/cpu models datasets
LIB_SRC := $(sort $(foreach room,$(ROOMS),$(wildcard $(room)/*.c)))
CMD_SRC := $(sort $(wildcard tools/*.c))
SUP_SRC := $(sort $(wildcard tests/support/*.c tests/cases/*.c) $(filter-out tools/reel.c,$(wildcard tools/*.c)))
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(sort $(wildcard tests/*.c)))

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wvla
OPT     ?= -O3 -fno-math-errno -fno-trapping-math
CFLAGS  ?= -g
ALL     := -std=c11 -D_GNU_SOURCE -I. -fPIC -fopenmp $(WARN) $(OPT) $(CFLAGS) -MMD -MP
LIBS    := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm -lpthread
ALL     += $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
ifdef SANITIZE
B       := build/sanitize
OPT     := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
endif

LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(B)/obj/%.o)
SUP_OBJ := $(SUP_SRC:%.c=$(B)/obj/%.o)

$(B)/reel: $(CMD_OBJ) $(B)/libreel.a
	$(CC) $(ALL) $^ -o $@ $(LIBS)

$(B)/libreel.a: $(LIB_OBJ)
	rm -f $@ && ar rcs $@ $^

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL) -c $< -o $@

$(B)/tests/%: $(B)/obj/tests/%.o $(SUP_OBJ) $(B)/libreel.a
	@mkdir -p $(@D)
	$(CC) $(ALL) $^ -o $@ $(shell pkg-config --libs check 2>/dev/null) $(LIBS)

.PHONY: tests clean
tests: $(TESTS) $(B)/reel

clean:
	rm -rf build

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
