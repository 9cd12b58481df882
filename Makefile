# SPDX-License-Identifier: LGPL-2.1-or-later
# shiftbox: plain GNU make; everything it makes lands in $(BUILD). `make help` tells the targets.

VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
# mount(8) looks for helpers in /sbin alone; an installation into somebody's home has no place there.
MOUNTHELPERDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/sbin,$(PREFIX)/sbin)
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif

WARN := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2
CFLAGS ?= -O2 -g
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"' -pthread $(WARN) $(WERROR)
ifeq ($(SAN),1)
# Objects with other flags need a place of their own.
override BUILD := $(BUILD)/san
BASE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Static where Debian has the archive: a short command then starts in a third of the time. libmount
# has none and is loaded on first use (lib/mount/via_libmount.c). STATIC=0 links the shared libraries, as
# distributions want it. (libbz2 has no pkg-config file everywhere.)
PKG_CONFIG ?= pkg-config
ifeq ($(STATIC),0)
PACKAGES := libarchive blkid libisal jansson nettle libseccomp libzstd zlib liblzma liblz4
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lbz2 -ldl
BASE_CFLAGS += $(shell $(PKG_CONFIG) --cflags $(PACKAGES) mount)
else
LIBS := -l:libarchive.a -l:libblkid.a -lisal -l:libjansson.a -l:libnettle.a -l:libseccomp.a \
	-l:libzstd.a -l:libz.a -l:liblzma.a -l:libbz2.a -l:liblz4.a -l:libacl.a -ldl
endif

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)))
LIB_OBJ := $(call objects,lib/*/*.c)
CMD_OBJ := $(call objects,cmd/*.c)
UNIT_OBJ := $(call objects,tests/unit/*.c)
OOM_OBJ := $(call objects,tests/fault/*.c)
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
COMMANDS := $(shell sed -n 's/^CMD(\(.*\))/\1/p' cmd/cmds.h | tr _ -)
comma := ,
link = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

all: $(BUILD)/shiftbox

$(BUILD)/shiftbox: $(CMD_OBJ) $(LIB_OBJ)
	$(link)

# Objects are made anew when they would be made by other flags.
FLAGS = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(CPPFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(FLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CMD_OBJ) $(call objects,tests/*/*.c))

# --- tests -----------------------------------------------------------------------------------------

check: deps-test
	@tests/run

check-kernels: deps-kernels
	@tests/run kernels

demo: deps-demo
	@$(MAKE) -s all
	@IMAGE='$(IMAGE)' tests/demo/demo.sh

bench: deps-bench
	@$(MAKE) -s all
	tests/bench/run
	tests/bench/broker
	tests/bench/verify
	tests/bench/mounts
	tests/bench/namespaces

deps:
	@tests/deps build
deps-demo:
	@tests/deps build demo
deps-test:
	@tests/deps build demo test kernels
deps-kernels:
	@tests/deps build kernels
deps-bench:
	@tests/deps build demo test bench

# The table-driven checks of the commands need the commands too, all but their main().
unit: $(BUILD)/unit
$(BUILD)/unit: $(UNIT_OBJ) $(filter-out $(BUILD)/cmd/main.o,$(CMD_OBJ)) $(LIB_OBJ)
	$(link)

# One area's unit tests, with no more than the areas it may use (lib/areas): make unit-idmap
AREAS := $(shell sed -n 's/^\([a-z]\+\) .*/\1/p' lib/areas)
UNIT_SHARED := $(patsubst %,tests/unit/%.c,main make_tar mtree_show)
area_uses = $(1) $(shell sed -n 's/^$(1) *|\([^|]*\)|.*/\1/p' lib/areas)
$(AREAS:%=unit-%): unit-%: FORCE
	@mkdir -p $(BUILD)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) -o $(BUILD)/unit-$* $(UNIT_SHARED) $(wildcard tests/unit/$*_*.c) \
		$(foreach area,$(call area_uses,$*),$(wildcard lib/$(area)/*.c)) $(LIBS)
	$(BUILD)/unit-$*

# The scenarios of tests/fault, whose every allocation is made to fail in turn.
unit-oom:
	$(MAKE) SAN=1 oom-program
oom-program: $(BUILD)/unit-oom
$(BUILD)/unit-oom: $(OOM_OBJ) $(BUILD)/tests/unit/main.o $(LIB_OBJ)
	$(link) $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc strdup vasprintf)

# Replay the corpora under sanitizers, with a main() of our own.
FUZZ_MAIN = $(BUILD)/tests/fuzz/replay.o
fuzz-replay:
	$(MAKE) SAN=1 fuzz-programs
fuzz-programs: $(FUZZ:%=$(BUILD)/%)
$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(FUZZ_MAIN) $(LIB_OBJ)
	$(link)

# Hostile and odd inputs, with more kills than tests/run has time for.
corpus: all
	$(MAKE) -s SAN=1 all
	tests/corpus/run --mode all --kills 10

# Look for new inputs: make fuzz-opt TIME=600. They land in $(BUILD)/fuzz/corpus, what breaks it in $(BUILD)/fuzz.
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz-%: FORCE
	@mkdir -p $(BUILD)/fuzz/corpus/$*
	$(MAKE) CC=clang BUILD=$(BUILD)/fuzz CFLAGS='$(FUZZ_FLAGS)' LDFLAGS=-fsanitize=fuzzer FUZZ_MAIN= $(BUILD)/fuzz/fuzz_$*
	$(BUILD)/fuzz/fuzz_$* -max_total_time=$(or $(TIME),60) -artifact_prefix=$(BUILD)/fuzz/$*- $(BUILD)/fuzz/corpus/$* $(wildcard tests/fuzz/corpus/$*)

# --- for editors and debuggers -----------------------------------------------------------------------

debug:
	$(MAKE) BUILD=$(BUILD)/debug CFLAGS='-O0 -g3' all

# What clangd and clang-tidy want to know: build/compile_commands.json, by bear(1).
compile_commands.json: FORCE
	@mkdir -p $(BUILD)
	bear --output $(BUILD)/compile_commands.json -- $(MAKE) BUILD=$(BUILD)/commands all unit

# --- what is generated and checked in ----------------------------------------------------------------

gen: all
	tests/gen

# --- installing ------------------------------------------------------------------------------------

BASH_DIR = $(DESTDIR)$(DATADIR)/bash-completion/completions
ZSH_DIR = $(DESTDIR)$(DATADIR)/zsh/site-functions
FISH_DIR = $(DESTDIR)$(DATADIR)/fish/vendor_completions.d
MAN_DIR = $(DESTDIR)$(DATADIR)/man/man8
MAN7_DIR = $(DESTDIR)$(DATADIR)/man/man7

install: all
	install -D $(BUILD)/shiftbox $(DESTDIR)$(BINDIR)/shiftbox
	install -d $(DESTDIR)$(MOUNTHELPERDIR)
	ln -sf $(BINDIR)/shiftbox $(DESTDIR)$(MOUNTHELPERDIR)/mount.shiftbox
	install -D -m 644 completions/shiftbox.bash $(BASH_DIR)/shiftbox
	install -D -m 644 completions/_shiftbox $(ZSH_DIR)/_shiftbox
	install -D -m 644 completions/shiftbox.fish $(FISH_DIR)/shiftbox.fish
	install -D -m 644 cmd/shiftbox.8 $(MAN_DIR)/shiftbox.8
	install -D -m 644 cmd/idmap.7 $(MAN7_DIR)/shiftbox-idmap.7
	install -D -m 644 cmd/security.7 $(MAN7_DIR)/shiftbox-security.7
	for c in $(COMMANDS); do \
		ln -sf shiftbox $(DESTDIR)$(BINDIR)/$$c && ln -sf shiftbox $(BASH_DIR)/$$c && \
		ln -sf shiftbox.fish $(FISH_DIR)/$$c.fish && \
		install -m 644 cmd/$$(echo $$c | tr - _).8 $(MAN_DIR)/$$c.8 || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(MOUNTHELPERDIR)/mount.shiftbox $(ZSH_DIR)/_shiftbox $(MAN7_DIR)/shiftbox-idmap.7 $(MAN7_DIR)/shiftbox-security.7
	for c in shiftbox $(COMMANDS); do \
		rm -f $(DESTDIR)$(BINDIR)/$$c $(BASH_DIR)/$$c $(FISH_DIR)/$$c.fish $(MAN_DIR)/$$c.8; done

help:
	@echo 'make [SAN=1] [STATIC=0] [CC=clang] [WERROR=-Werror]   build $(BUILD)/shiftbox (STATIC=0: with shared libraries)'
	@echo 'make check [STRICT=1]     install what is missing (root), build, run every test; tests/run WORD...: some'
	@echo 'make check-kernels         a part of that: the tests on kernels 6.1, 6.18 and the newest that Debian has, in qemu'
	@echo 'make demo [IMAGE=oci:DIR] show one image mounted for two users'
	@echo 'make bench                measure'
	@echo 'make corpus               unpack hostile and odd inputs, and kill it at more moments than make check does'
	@echo 'make fuzz-NAME [TIME=60]  look for inputs that break tests/fuzz/fuzz_NAME.c'
	@echo 'make gen                  rewrite what comes from the option tables: manual blocks, completions'
	@echo 'make deps                 install what a build needs (root), or say what is missing'
	@echo 'make install|uninstall [PREFIX=$(PREFIX)] [DESTDIR=] [MOUNTHELPERDIR=$(MOUNTHELPERDIR)]'
	@echo 'make debug                build $(BUILD)/debug/shiftbox, without optimising'
	@echo 'make compile_commands.json   write $(BUILD)/compile_commands.json, for clangd and clang-tidy (needs bear)'
	@echo 'make clean                remove $(BUILD)'

clean:
	rm -rf $(BUILD)

FORCE:
.PHONY: all debug check check-kernels demo bench deps deps-demo deps-test deps-kernels deps-bench unit unit-oom oom-program fuzz-replay fuzz-programs gen \
	install uninstall help clean FORCE
.SECONDARY:
