# SPDX-License-Identifier: LGPL-2.1-or-later
# shiftbox: plain GNU make; everything it creates is in $(BUILD). `make help` lists the targets.

VERSION := 0.1.0
VERSION_BUILT := $(shell lib/version.sh $(VERSION))
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif

# A short line for each file; V=1 prints the commands instead, and -s neither.
ifneq ($(V),1)
Q := @
ifeq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @printf '  %-3s %s\n' '$(1)' '$(2)'
endif
endif

WARN := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2
CFLAGS ?= -O2 -g
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"' -pthread \
	-include lib/base/compat.h $(WARN) $(WERROR) -ffile-prefix-map=$(CURDIR)=.
BASE_LDFLAGS := -Wl,--build-id

# Hardening; `make HARDENING=` builds without it. What some processors or releases of glibc do not
# have is tried: jump targets (CET on x86, BTI on arm64), and _FORTIFY_SOURCE=3 (glibc 2.35), which
# requires optimization and does not go with sanitizers.
HARDENING := -fPIE -fstack-protector-strong
ifneq ($(HARDENING),)
has = $(shell echo | $(CC) -Werror -O2 $(1) -include features.h -x c -c -o /dev/null - 2>&1 || \
	echo no)
first_of = $(if $(1),$(if $(call has,$(firstword $(1))),$(call \
	first_of,$(wordlist 2,9,$(1))),$(firstword $(1))))
HARDENING += $(call first_of,-fcf-protection -mbranch-protection=standard)
ifeq ($(SAN)$(findstring -fsanitize,$(CFLAGS))$(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS)),)
ifneq ($(filter-out -O0,$(filter -O%,$(CFLAGS))),)
HARDENING += -U_FORTIFY_SOURCE $(call first_of,-D_FORTIFY_SOURCE=3 -D_FORTIFY_SOURCE=2)
endif
endif
BASE_CFLAGS += $(HARDENING)
BASE_LDFLAGS += -pie -Wl,-z,relro,-z,now
endif

ifeq ($(SAN),1)
# Objects with other flags need a place of their own.
override BUILD := $(BUILD)/san
BASE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# gzip by ISA-L where the compiler finds it, which some architectures lack, else by zlib; ISAL=0 and
# ISAL=1 decide it.
ifndef ISAL
ISAL := $(shell $(CC) -E -include isa-l/igzip_lib.h -x c /dev/null >/dev/null 2>&1 && echo 1)
endif
ifeq ($(ISAL),1)
BASE_CFLAGS += -DWITH_ISAL
ISAL_LIBS := -lisal
endif

# TOML by toml++, in one file of C++, where the compiler finds it and an archive of libstdc++: no
# other command shall load that library. TOML=0 and TOML=1 decide it.
ifndef TOML
hash := \#
TOML := $(shell printf '$(hash)%s\n' 'include <new>' 'if !__has_include(<toml++/toml.h>)' error \
	endif | $(CC) -std=gnu++17 -E -x c++ - >/dev/null 2>&1 && \
	[ -e "$$($(CC) -print-file-name=libstdc++.a)" ] && echo 1)
endif
ifeq ($(TOML),1)
BASE_CFLAGS += -DWITH_TOML
TOML_LIBS := -l:libstdc++.a $(if $(filter 0,$(STATIC)),-lm,-l:libm.a) -static-libgcc
endif

# Static where Debian has the archive: a short command then starts in a third of the time. libmount
# has none and is loaded on first use (lib/mount/via_libmount.c). STATIC=0 links shared libraries,
# as distributions require. (libbz2 does not have a pkg-config file everywhere.)
PKG_CONFIG ?= pkg-config
ifeq ($(STATIC),0)
PACKAGES := libarchive blkid $(if $(ISAL_LIBS),libisal) jansson nettle libseccomp libzstd zlib \
	liblzma liblz4
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lbz2 $(TOML_LIBS) -ldl
BASE_CFLAGS += $(shell $(PKG_CONFIG) --cflags $(PACKAGES) mount)
has_packages = $(PKG_CONFIG) --print-errors --exists $(PACKAGES) mount
else
has_packages = true
LIBS := -l:libarchive.a -l:libblkid.a $(ISAL_LIBS) -l:libjansson.a -l:libnettle.a -l:libseccomp.a \
	-l:libzstd.a -l:libz.a -l:liblzma.a -l:libbz2.a -l:liblz4.a -l:libacl.a \
	$(TOML_LIBS) -ldl
endif

objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard $(1))))
CXX_OBJ := $(if $(TOML_LIBS),$(patsubst %.cc,$(BUILD)/%.o,$(wildcard lib/*/*.cc)))
LIB_OBJ := $(call objects,lib/*/*.c) $(CXX_OBJ)
CMD_OBJ := $(call objects,cmd/*.c)
UNIT_OBJ := $(call objects,tests/unit/*.c)
OOM_OBJ := $(call objects,tests/fault/*.c)
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
COMMANDS := $(shell sed -n 's/^CMD(\(.*\))/\1/p' cmd/cmds.h | tr _ -)
comma := ,
link = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

all: $(BUILD)/shiftbox

$(BUILD)/shiftbox: $(CMD_OBJ) $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(link)

HEADERS := archive.h blkid/blkid.h libmount/libmount.h jansson.h nettle/sha2.h seccomp.h zstd.h \
	zlib.h lzma.h
missing = { echo 'make: the compiler or a library is missing: run make deps' >&2; exit 1; }

# Objects are made anew when they would be made by other flags. The same tree may be mounted in two
# places.
FLAGS = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(CPPFLAGS)
SAME_FLAGS = $(subst $(CURDIR),.,$(subst ','\'',$(FLAGS)))
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(SAME_FLAGS)' | cmp -s - $@ || { \
		$(has_packages) && $(FLAGS) $(HEADERS:%=-include %) -E -x c -o /dev/null \
			/dev/null || $(missing); \
		echo '$(SAME_FLAGS)' >$@; }

objects: $(LIB_OBJ) $(CMD_OBJ)

# What the compiler says stays beside the object: tests/lint/compilers reads it.
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(FLAGS) $(OWN_FLAGS) -MMD -MP -c -o $@ $< 2>$(@:.o=.warn) || \
		{ cat $(@:.o=.warn) >&2; exit 1; }
	@[ ! -s $(@:.o=.warn) ] || cat $(@:.o=.warn) >&2

# The flags of C, as far as C++ has them; vptr would need a library of the sanitizer for C++.
CXX_FLAGS = $(subst -std=gnu11,-std=gnu++17,$(filter-out -Wmissing-prototypes \
	-Wstrict-prototypes,$(FLAGS))) $(if $(filter 1,$(SAN)),-fno-sanitize=vptr)
$(CXX_OBJ): $(BUILD)/%.o: %.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX_FLAGS) -MMD -MP -c -o $@ $< 2>$(@:.o=.warn) || { cat $(@:.o=.warn) >&2; exit 1; }
	@[ ! -s $(@:.o=.warn) ] || cat $(@:.o=.warn) >&2

# One object knows the commit, and is made anew for each.
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION_BUILT)' | cmp -s - $@ || echo '$(VERSION_BUILT)' >$@
$(BUILD)/cmd/main.o: $(BUILD)/version
$(BUILD)/cmd/main.o: OWN_FLAGS = -DVERSION_BUILT='"$(VERSION_BUILT)"'

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CMD_OBJ) $(call objects,tests/*/*.c))

# --- tests ---------------------------------------------------------------------------------------

# What it does to the machine: tests/README.md.
check:
	@echo 'make check installs missing Debian packages (as root), builds, and tests here.'
	@echo 'As root the tests mount filesystems (in mount namespaces of their own), set up loop'
	@echo 'devices, load kernel modules, create /run/shiftbox, and fetch a small Debian system.'
	@$(MAKE) -s deps-test
	@tests/run

check-kernels: deps-kernels
	@tests/run kernels

check-packages: deps-packages
	@tests/run packages

check-releases check-podmans check-arches: check-%: deps-roots
	@tests/run $*

# And all that takes long: other kernels, packages, other releases and architectures, and the soak.
# These run after a failed check, too.
check-all: deps-roots deps-packages deps-kernels
	@status=0; \
	$(MAKE) -s check || status=1; \
	tests/run kernels packages releases podmans arches soak || status=1; \
	exit $$status

demo: deps-demo
	@tests/build BUILD=$(BUILD) all
	@IMAGE='$(IMAGE)' tests/demo/demo.sh

bench: deps-bench
	@$(MAKE) -s all
	tests/bench/run
	tests/bench/broker
	tests/bench/verify
	tests/bench/mounts
	tests/bench/views
	tests/bench/namespaces
	tests/bench/startup

deps:
	@tests/deps build
deps-demo:
	@tests/deps build demo
deps-test:
	@tests/deps build demo test
deps-kernels:
	@tests/deps build kernels
deps-bench:
	@tests/deps build demo test bench
deps-deb:
	@tests/deps build deb
deps-packages:
	@tests/deps build packages
deps-roots:
	@tests/deps build test roots

# The table-driven checks of the commands need the commands too, all but their main().
unit: $(BUILD)/unit
$(BUILD)/unit: $(UNIT_OBJ) $(filter-out $(BUILD)/cmd/main.o,$(CMD_OBJ)) $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(link)

# The unit tests of one area, with the areas that it may use (lib/areas) alone: make unit-idmap
AREAS := $(shell sed -n 's/^\([a-z]\+\) .*/\1/p' lib/areas)
UNIT_SHARED := $(patsubst %,tests/unit/%.c,unit_main make_tar mtree_show)
area_uses = $(1) $(shell sed -n 's/^$(1) *|\([^|]*\)|.*/\1/p' lib/areas)
$(AREAS:%=unit-%): unit-%: FORCE $(CXX_OBJ)
	@mkdir -p $(BUILD)
	$(call say,CC,$(BUILD)/unit-$*)
	$(Q)$(CC) $(BASE_CFLAGS) $(CFLAGS) -o $(BUILD)/unit-$* $(UNIT_SHARED) \
		$(wildcard tests/unit/$*_*.c) \
		$(foreach area,$(call area_uses,$*),$(wildcard lib/$(area)/*.c)) $(CXX_OBJ) $(LIBS)
	$(BUILD)/unit-$*

# The scenarios of tests/fault, whose every allocation is made to fail in turn.
unit-oom:
	$(MAKE) SAN=1 oom-program
oom-program: $(BUILD)/unit-oom
$(BUILD)/unit-oom: $(OOM_OBJ) $(BUILD)/tests/unit/unit_main.o $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(link) $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc strdup vasprintf)

# Replay the corpora under sanitizers, with a main() of our own.
FUZZ_MAIN = $(BUILD)/tests/fuzz/replay.o
fuzz-replay:
	$(MAKE) SAN=1 fuzz-programs
fuzz-programs: $(FUZZ:%=$(BUILD)/%)
$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(FUZZ_MAIN) $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(link)

# Hostile and odd inputs, with more kills than tests/run has time for.
corpus: all
	$(MAKE) -s SAN=1 all
	tests/corpus/run --mode all --kills 10

# Look for new inputs: make fuzz-opt TIME=600. They are put into $(BUILD)/fuzz/corpus, and inputs
# that break the target into $(BUILD)/fuzz.
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz-%: FORCE
	@mkdir -p $(BUILD)/fuzz/corpus/$*
	$(MAKE) CC=clang BUILD=$(BUILD)/fuzz CFLAGS='$(FUZZ_FLAGS)' LDFLAGS=-fsanitize=fuzzer \
		FUZZ_MAIN= $(BUILD)/fuzz/fuzz_$*
	$(BUILD)/fuzz/fuzz_$* -max_total_time=$(or $(TIME),60) -artifact_prefix=$(BUILD)/fuzz/$*- \
		$(BUILD)/fuzz/corpus/$* $(wildcard tests/fuzz/corpus/$*)

# --- for editors and debuggers -------------------------------------------------------------------

debug:
	$(MAKE) BUILD=$(BUILD)/debug CFLAGS='-O0 -g3' all

# The database of clangd: build/compile_commands.json, written by bear(1).
compile_commands.json: FORCE
	@mkdir -p $(BUILD)
	bear --output $(BUILD)/compile_commands.json -- $(MAKE) BUILD=$(BUILD)/commands all unit

# --- what is generated and checked in ------------------------------------------------------------

gen: all
	tests/gen

# --- installing ----------------------------------------------------------------------------------

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/shiftbox
system_prefix = $(filter /usr /usr/local,$(PREFIX))
SYSCONFDIR ?= $(if $(system_prefix),/etc,$(PREFIX)/etc)
# An installation into a home directory, say, stays out of the system's directories.
MOUNTHELPERDIR ?= $(if $(system_prefix),/sbin,$(PREFIX)/sbin)
# Debian's zsh searches vendor-completions instead, below /usr/share.
ZSHDIR ?= $(DATADIR)/zsh/site-functions
# fish searches /usr/local/share only if XDG_DATA_DIRS names it.
FISHDIR ?= $(if $(filter /usr/local,$(PREFIX)),$(SYSCONFDIR)/fish/completions,$(strip \
	)$(DATADIR)/fish/vendor_completions.d)

BASH_DIR = $(DESTDIR)$(DATADIR)/bash-completion/completions
ZSH_DIR = $(DESTDIR)$(ZSHDIR)
FISH_DIR = $(DESTDIR)$(FISHDIR)
MAN_DIR = $(DESTDIR)$(DATADIR)/man/man8
MAN7_DIR = $(DESTDIR)$(DATADIR)/man/man7
UNITDIR ?= $(PREFIX)/lib/systemd/system
UNIT_DIR = $(DESTDIR)$(UNITDIR)
UNITS := views.service views-changed.service views.path views.timer

# $(call install_page,FILE,PAGE): its paths become those of this installation.
install_page = sed -e 's|/usr/local/bin/mount-idmapped|$(BINDIR)/mount-idmapped|' \
	-e 's|/usr/local/share/shiftbox|$(DATADIR)/shiftbox|' cmd/$1 >$2 && chmod 644 $2

install: all
	install $(if $(filter 1,$(STRIP)),-s) -D $(BUILD)/shiftbox $(DESTDIR)$(BINDIR)/shiftbox
	install -d $(DESTDIR)$(MOUNTHELPERDIR)
	ln -sf $(BINDIR)/shiftbox $(DESTDIR)$(MOUNTHELPERDIR)/mount.shiftbox
	install -D -m 644 completions/shiftbox.bash $(BASH_DIR)/shiftbox
	install -D -m 644 completions/_shiftbox $(ZSH_DIR)/_shiftbox
	install -D -m 644 completions/shiftbox.fish $(FISH_DIR)/shiftbox.fish
	install -d $(MAN_DIR) $(MAN7_DIR)
	$(call install_page,shiftbox.8,$(MAN_DIR)/shiftbox.8)
	ln -sf mount-idmapped.8 $(MAN_DIR)/mount.shiftbox.8
	$(call install_page,idmap.7,$(MAN7_DIR)/shiftbox-idmap.7)
	$(call install_page,security.7,$(MAN7_DIR)/shiftbox-security.7)
	$(call install_page,engines.7,$(MAN7_DIR)/shiftbox-engines.7)
	install -d $(DESTDIR)$(DOCDIR) $(UNIT_DIR)
	for u in $(UNITS); do sed 's|@BINDIR@|$(BINDIR)|' cmd/$$u >$(UNIT_DIR)/shiftbox-$$u && \
		chmod 644 $(UNIT_DIR)/shiftbox-$$u || exit 1; done
	install -m 644 lib/COPYING lib/CHANGES README.md $(DESTDIR)$(DOCDIR)
	install -D -m 644 cmd/output.schema.json $(DESTDIR)$(DATADIR)/shiftbox/output.schema.json
	for c in $(COMMANDS); do \
		ln -sf shiftbox $(DESTDIR)$(BINDIR)/$$c && ln -sf shiftbox $(BASH_DIR)/$$c && \
		ln -sf shiftbox.fish $(FISH_DIR)/$$c.fish && \
		$(call install_page,$$(echo $$c | tr - _).8,$(MAN_DIR)/$$c.8) || exit 1; done
ifeq ($(filter /sbin /usr/sbin,$(MOUNTHELPERDIR)),)
	@echo 'note: mount(8) and lines of fstab will not find' \
		'$(MOUNTHELPERDIR)/mount.shiftbox: they search /sbin and /usr/sbin. Install with' \
		'MOUNTHELPERDIR=/sbin, or make a link:' \
		'ln -s $(MOUNTHELPERDIR)/mount.shiftbox /sbin/'
endif

uninstall:
	rm -f $(DESTDIR)$(MOUNTHELPERDIR)/mount.shiftbox $(MAN_DIR)/mount.shiftbox.8
	rm -f $(ZSH_DIR)/_shiftbox
	rm -f $(patsubst %,$(MAN7_DIR)/shiftbox-%.7,engines idmap security)
	rm -f $(patsubst %,$(DESTDIR)$(DOCDIR)/%,COPYING CHANGES README.md)
	rm -f $(DESTDIR)$(DATADIR)/shiftbox/output.schema.json
	rm -f $(UNITS:%=$(UNIT_DIR)/shiftbox-%)
	[ ! -d $(DESTDIR)$(DATADIR)/shiftbox ] || rmdir $(DESTDIR)$(DATADIR)/shiftbox
	[ ! -d $(DESTDIR)$(DOCDIR) ] || rmdir $(DESTDIR)$(DOCDIR)
	for c in shiftbox $(COMMANDS); do \
		rm -f $(DESTDIR)$(BINDIR)/$$c $(BASH_DIR)/$$c $(FISH_DIR)/$$c.fish; \
		rm -f $(MAN_DIR)/$$c.8; done

# --- releases and packages -----------------------------------------------------------------------

# git's archive of the commit, which a build does not need git for. With the same git and xz it is
# the same file everywhere.
DIST := shiftbox-$(VERSION_BUILT)
dist:
	@[ -e .git ] || { echo 'make dist: requires a checkout of git' >&2; exit 1; }
	@case $(DIST) in *.changed) \
		echo 'make dist: commit the changes first: it packs the commit' >&2; exit 1;; esac
	@mkdir -p $(BUILD)
	git -c safe.directory='$(CURDIR)' archive --prefix=$(DIST)/ HEAD >$(BUILD)/$(DIST).tar
	xz -T1 -f $(BUILD)/$(DIST).tar

deb: deps-deb
	@$(MAKE) -s dist
	tests/packaging/deb $(BUILD)/$(DIST).tar.xz $(BUILD)/deb

define HELP
Build:
  make [V=1] [SAN=1] [STATIC=0] [ISAL=0] [TOML=0] [CC=clang] [WERROR=-Werror]
                            build $(BUILD)/shiftbox (V=1: print the commands; SAN=1:
                            $(BUILD)/san/shiftbox, with sanitizers; STATIC=0: with shared
                            libraries; ISAL=0: without ISA-L, which is used for gzip where it
                            is installed; TOML=0: without toml++, which image-unpack
                            --podman-conf needs)
  make deps                 install what a build needs (as root), or print what is missing
  make install|uninstall [PREFIX=$(PREFIX)] [DESTDIR=] [MOUNTHELPERDIR=$(MOUNTHELPERDIR)]
                            (install STRIP=1: without symbols and debug information)
  make dist                 pack the commit as $(BUILD)/shiftbox-VERSION.tar.xz
  make deb                  build a Debian package of the commit in $(BUILD)/deb
  make debug                build $(BUILD)/debug/shiftbox, without optimising
  make compile_commands.json
                            write $(BUILD)/compile_commands.json, for clangd (requires bear)
  make clean                remove $(BUILD)

Test (tests/README.md):
  make check [STRICT=1]     install what is missing (as root), build, test on this system
  make unit && $(BUILD)/unit [NAME...]
                            run the unit tests whose name or file holds NAME
  make unit-AREA            build and run the unit tests of one area (a folder of lib/) alone
  make SAN=1 unit           build $(BUILD)/san/unit, with sanitizers
  tests/run WORD...         run one kind of tests (unit san oom golden fuzz lint system corpus,
                            and those of check-all: kernels packages releases podmans arches
                            soak), or the files whose name holds WORD
  tests/run WORD... -f NAME run the tests of these files whose name holds NAME
  make check-kernels        test on Linux 6.1 and 6.18 and on Debian's newest kernel, in qemu
  make check-packages       build and try the packages of tests/packaging (as root)
  make check-releases       build and test in Debian 12, 13 and sid, with gcc and clang (as root)
  make check-podmans        use a store with podman, buildah and skopeo of these, and podman 6
                            (as root)
  make check-arches         build and test for s390x, arm64 and i386 in qemu, compile with musl
                            (as root)
  make check-all            check, all of these, and longer runs of the corpus and the fuzz targets
  make corpus               unpack hostile inputs, and kill that at more moments than make check
  make fuzz-NAME [TIME=60]  look for inputs that break tests/fuzz/fuzz_NAME.c

Show, measure, maintain:
  make demo [IMAGE=oci:DIR] show one image mounted for two users
  make bench                measure
  make gen                  rewrite the generated parts of manual pages and completions
endef
export HELP

help:
	@printf '%s\n' "$$HELP"

clean:
	rm -rf $(BUILD)

FORCE:
.PHONY: all objects debug check check-all check-kernels check-packages check-releases \
	check-podmans check-arches demo bench deps deps-demo deps-test deps-kernels deps-bench \
	deps-deb deps-packages deps-roots dist deb \
	unit unit-oom oom-program fuzz-replay fuzz-programs corpus gen \
	install uninstall help clean FORCE
.SECONDARY:
