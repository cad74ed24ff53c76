# Steward: every target a person types.  `make help` lists them.
#
# Objects go to build/CC-SAN/; a program NAME is its folder's main.c, the archive of the
# rest of its folder and the archive of lib/, so a test may link any of the pieces.

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
SAN     ?= none
PREFIX  ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
LIBEXECDIR ?= $(PREFIX)/lib/steward
VERSION := 0.1.0
RELEASED := 2026-11-21

CCNAME := $(notdir $(firstword $(CC)))
B      := build/$(CCNAME)-$(SAN)

STD    := -std=c11 -D_GNU_SOURCE -Ilib -Isupervisord -I. -DVERSION='"$(VERSION)"' -DRELEASED='"$(RELEASED)"' -DLIBEXECDIR='"$(LIBEXECDIR)"'
WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wpointer-arith \
	 -Wcast-qual -Wcast-align -Wwrite-strings -Wstrict-prototypes \
	 -Wmissing-prototypes -Wold-style-definition -Wredundant-decls \
	 -Wformat=2 -Wconversion -Wsign-conversion -Wdouble-promotion \
	 -Wfloat-equal -Wnull-dereference -Wimplicit-fallthrough -Winit-self
WARN_gcc   := -Wlogical-op -Wduplicated-cond -Wduplicated-branches \
	 -Wformat-signedness -Wformat-overflow=2 -Wstringop-overflow=4 \
	 -Walloc-zero -Wtrampolines -Wjump-misses-init -Wcast-align=strict
WARN_clang := -Wmissing-variable-declarations -Wunreachable-code -Wcomma \
	 -Wassign-enum -Wconditional-uninitialized -Wloop-analysis \
	 -Wextra-semi-stmt -Wheader-hygiene
HARD   := -fstack-protector-strong -fstack-clash-protection \
	 -fno-delete-null-pointer-checks -fno-strict-aliasing -fPIE
ifeq ($(shell uname -m),x86_64)
HARD   += -fcf-protection=full
endif
HARD_gcc   := -ftrivial-auto-var-init=zero -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
HARD_clang := -ftrivial-auto-var-init=pattern -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed,--gc-sections

# NO_SECCOMP: these tools make system calls of their own; gcov also writes files.
SAN_none     := -O2 -g -Werror $(HARD) $(HARD_$(CCNAME))
SAN_asan     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DPLAIN_FORK -DNO_SECCOMP
SAN_valgrind := -O1 -g -DPLAIN_FORK -DNO_SECCOMP
SAN_cov      := -O0 -g --coverage -DPLAIN_FORK -DNO_SECCOMP -DNO_LANDLOCK
SAN_int      := -O1 -g -fsanitize=integer,implicit-conversion,local-bounds,nullability -fno-sanitize=unsigned-integer-overflow,unsigned-shift-base -fno-sanitize-recover=all -DPLAIN_FORK -DNO_SECCOMP
SAN_fuzz     := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DPLAIN_FORK -DNO_SECCOMP
SAN_msan     := -O1 -g -fsanitize=memory -fsanitize-memory-track-origins -fno-sanitize-recover=all -DPLAIN_FORK -DNO_SECCOMP
ifeq ($(filter $(SAN),none asan valgrind cov int fuzz msan),)
$(error SAN=$(SAN) is not known: none, asan, valgrind, cov, int, fuzz, msan)
endif

CFLAGS_ALL := $(STD) $(WARN) $(WARN_$(CCNAME)) $(SAN_$(SAN)) -ffunction-sections -fdata-sections $(CFLAGS)
LDFLAGS_ALL := $(filter -fsanitize% --coverage,$(SAN_$(SAN))) $(if $(filter none,$(SAN)),$(LDHARD),-Wl,--as-needed) $(LDFLAGS)

comma := ,
# program: folder and the libraries of its room
PROGS := supervisord supervisord-master supervisord-load supervisord-control \
	 supervisord-logger supervisord-probe supervisord-unpack supervisord-verify \
	 supervisord-worker relctl
DIR_supervisord         := supervisord/keeper
DIR_supervisord-master  := supervisord/master
DIR_supervisord-load    := supervisord/load
DIR_supervisord-control := supervisord/control
DIR_supervisord-logger  := supervisord/logger
DIR_supervisord-probe   := supervisord/probe
DIR_supervisord-unpack  := supervisord/unpack
DIR_supervisord-verify  := supervisord/verify
DIR_supervisord-worker  := supervisord/worker
DIR_relctl              := relctl
LIBS_supervisord-master  := -lev
LIBS_supervisord-load    := -linih
LIBS_supervisord-control := -lev -lcjson
LIBS_supervisord-logger  := -lev
LIBS_supervisord-probe   := -lev
LIBS_supervisord-unpack  := -larchive
LIBS_supervisord-verify  := -lcjson -lcrypto
LIBS_supervisord-worker  := -lev -ldl
# runtime rooms that it loads when a module needs them: supervisord/worker/NAME and libraries
ROOMS := http
LIBS_room-http           := -lmicrohttpd -lev
# the modules it loads find <steward/handler.h>'s functions in it
WHOLE_supervisord-worker = -Wl,--whole-archive $(B)/supervisord-worker.a -Wl,--no-whole-archive -Wl,--export-dynamic-symbol='steward_*'
# static: a dozen shared objects would cost each `relctl status` 3 ms
LIBS_relctl              := -lcjson -lsmartcols -linih $(if $(filter none,$(SAN)),-Wl$(comma)-Bstatic -larchive -lcrypto -lzstd -lz -Wl$(comma)-Bdynamic,-larchive -lcrypto)
ALL_LIBS := -lev -linih -lcjson -lsmartcols -larchive -lcrypto

# shipped releases: releases/NAME/VERSION, each with one module lib/NAME.so
RELEASES := $(patsubst %/,%,$(sort $(dir $(wildcard releases/*/*/*.c))))
module   = $(B)/$(1)/lib/$(word 2,$(subst /, ,$(1))).so
MODULES  := $(foreach r,$(RELEASES),$(call module,$(r)))

LIB_SRC := $(wildcard lib/*/*.c)
obj = $(patsubst %.c,$(B)/%.o,$(1))

all: progs ## build all programs (the default)
progs: $(addprefix $(B)/bin/,$(PROGS)) $(ROOMS:%=$(B)/bin/rooms/%.so) $(MODULES)
	@[ $(CCNAME)-$(SAN) != gcc-none ] || ln -sfn $(CCNAME)-$(SAN) build/current

$(B)/lib.a: $(call obj,$(LIB_SRC))

# one archive a folder (all but main.c), one program a folder
define PROG_RULES
SRC_$(1) := $$(wildcard $(DIR_$(1))/*.c)
$(B)/$(1).a: $$(call obj,$$(filter-out %/main.c,$$(SRC_$(1))))
$(B)/bin/$(1): $$(call obj,$(DIR_$(1))/main.c) $(B)/$(1).a $(B)/lib.a
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$< $$(WHOLE_$(1)) $$(filter %.a,$$^) $$(LIBS_$(1))
endef
$(foreach p,$(PROGS),$(eval $(call PROG_RULES,$(p))))

# --- shared objects: a room is a folder, a release's module lib/NAME.so one of releases/ ------
SHARED := $(filter-out -pie,$(LDFLAGS_ALL)) -shared -Wl,-z,now
define ROOM_RULES
OBJ_room-$(1) := $$(call obj,$$(wildcard supervisord/worker/$(1)/*.c))
$$(OBJ_room-$(1)): CFLAGS_ALL += -fPIC -fvisibility=hidden
$(B)/bin/rooms/$(1).so: $$(OBJ_room-$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(SHARED) -o $$@ $$^ $$(LIBS_room-$(1))
endef
$(foreach r,$(ROOMS),$(eval $(call ROOM_RULES,$(r))))
define MODULE_RULES
OBJ_$(1) := $$(call obj,$$(wildcard $(1)/*.c))
$$(OBJ_$(1)): CFLAGS_ALL += -fPIC -fvisibility=hidden
$(call module,$(1)): $$(OBJ_$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(SHARED) -o $$@ $$^
endef
$(foreach r,$(RELEASES),$(eval $(call MODULE_RULES,$(r))))

ARCHIVES := $(foreach p,$(PROGS),$(B)/$(p).a) $(B)/lib.a

Q := $(if $(V),,@)
%.a:
	@rm -f $@ && mkdir -p $(@D)
	$(Q)ar rcs $@ $^

# said once, before the first compiler error; costs nothing afterwards
$(B)/deps.ok:
	@mkdir -p $(@D)
	@printf '#include <%s>\n' ev.h ini.h cjson/cJSON.h libsmartcols/libsmartcols.h archive.h openssl/evp.h microhttpd.h | \
	  $(CC) -E -x c - >/dev/null 2>&1 || { echo "make: $(CC) or a library's headers (libev, inih, cJSON,\
	  libsmartcols, libarchive, libssl, libmicrohttpd) are missing: run \`make deps\`, which installs them on Debian" >&2; exit 1; }
	@touch $@

$(B)/%.o: %.c | $(B)/deps.ok
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- unit tests: tests/unit/test_*.c, cmocka, each a program of its own -------------
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
$(B)/unit/%: $(B)/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) $(WRAP_$(*F)) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group -lcmocka $(ALL_LIBS)

# the modules of the demo find its fake of <steward/handler.h>'s functions in it
WRAP_test_snowflake := -Wl,--export-dynamic-symbol='steward_*'
$(B)/unit/test_snowflake: $(MODULES)
WRAP_test_http_target := $(B)/supervisord/worker/http/target.o
$(B)/unit/test_http_target: $(WRAP_test_http_target)

unit: progs $(UNIT) ## unit tests of this build (CC=, SAN=)
	@tests/run_unit.sh $(UNIT)

include tests/targets.mk
include tests/check.mk

install: progs ## install under DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBEXECDIR) \
	  $(DESTDIR)$(SYSCONFDIR)/steward/conf.d $(DESTDIR)$(SYSCONFDIR)/init.d \
	  $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
	  $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/man/man3 $(DESTDIR)$(PREFIX)/include/steward \
	  $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 \
	  $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 755 $(B)/bin/relctl $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(addprefix $(B)/bin/,$(filter supervisord-%,$(PROGS))) $(B)/bin/supervisord $(DESTDIR)$(LIBEXECDIR)/
	install -d $(DESTDIR)$(LIBEXECDIR)/rooms
	install -m 755 $(ROOMS:%=$(B)/bin/rooms/%.so) $(DESTDIR)$(LIBEXECDIR)/rooms/
	ln -sf $(LIBEXECDIR)/supervisord $(DESTDIR)$(PREFIX)/sbin/supervisord
	[ -e $(DESTDIR)$(SYSCONFDIR)/steward/supervisord.conf ] || \
	  install -m 644 conf/supervisord.conf $(DESTDIR)$(SYSCONFDIR)/steward/
	sed 's|@PREFIX@|$(PREFIX)|g' conf/supervisord.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/steward.service
	install -m 755 conf/supervisord.init $(DESTDIR)$(SYSCONFDIR)/init.d/steward
	install -m 644 conf/steward.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/steward.conf
	install -m 644 conf/steward.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/steward.conf
	install -m 644 lib/steward/handler.h $(DESTDIR)$(PREFIX)/include/steward/
	for s in 1 3 5 7 8; do install -m 644 man/*.$$s $(DESTDIR)$(PREFIX)/share/man/man$$s/ || exit 1; done
	install -m 644 conf/completions/relctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/relctl
	install -m 644 conf/completions/_relctl $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_relctl
	install -m 644 conf/completions/relctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile tests/*.mk | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
	  awk -F'\t' '{ printf "  %-12s %s\n", $$1, $$2 }'

clean: ## remove all that was built
	rm -rf build

.PHONY: all progs unit install help clean
.DELETE_ON_ERROR:
.SECONDARY:
