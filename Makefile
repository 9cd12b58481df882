# SPDX-License-Identifier: LGPL-2.1-or-later
# shiftbox: plain GNU make; everything it makes lands in $(BUILD). `make help` tells the targets.

VERSION := 0.1.0
PREFIX ?= /usr/local
BUILD ?= build
CC ?= gcc

WARN := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2
CFLAGS ?= -O2 -g
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"' -pthread $(WARN) $(WERROR)
ifeq ($(SAN),1)
# Objects with other flags need a place of their own.
override BUILD := $(BUILD)/san
BASE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Static where Debian has the archive: a short command then starts in a third of the time. libmount
# has none and is loaded on first use (lib/mount/lm.c).
LIBS := -l:libarchive.a -l:libblkid.a -lisal -l:libjansson.a -l:libnettle.a -l:libseccomp.a \
	-l:libzstd.a -l:libz.a -l:liblzma.a -l:libbz2.a -l:liblz4.a -l:libacl.a -ldl

LIB_SRC := $(wildcard lib/*/*.c)
CMD_SRC := $(wildcard cmd/*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
UNIT_OBJ := $(UNIT_SRC:%.c=$(BUILD)/%.o)

all: $(BUILD)/shiftbox
unit: $(BUILD)/unit

$(BUILD)/shiftbox: $(CMD_OBJ) $(LIB_OBJ)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The table-driven checks of the commands need the commands too, all but their main().
$(BUILD)/unit: $(UNIT_OBJ) $(filter-out $(BUILD)/cmd/main.o,$(CMD_OBJ)) $(LIB_OBJ)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# One area's unit tests, with no more than the areas it may use: make unit-idmap
unit-%: FORCE
	@mkdir -p $(BUILD)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) -o $(BUILD)/unit-$* tests/unit/main.c $(wildcard tests/unit/$*_*.c) \
		$(wildcard lib/base/*.c lib/idmap/*.c lib/$*/*.c) $(LIBS)
	$(BUILD)/unit-$*

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(UNIT_OBJ:.o=.d)
FORCE:
.PHONY: all unit clean FORCE
