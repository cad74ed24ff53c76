# What is installed, checked and measured; included by the Makefile.

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
DEPS_BUILD := gcc make pkg-config libev-dev libinih-dev libcjson-dev libsmartcols-dev \
	  libarchive-dev libssl-dev libzstd-dev zlib1g-dev libmicrohttpd-dev
DEPS_DEMO  := redis-server jq procps
DEPS_CHECK := libcmocka-dev clang clang-format clang-tidy cppcheck libclang-rt-14-dev \
	  universal-ctags python3 erlang-base valgrind strace util-linux iproute2 mandoc \
	  systemd gcovr netcat-openbsd zstd zsh fish minisign curl wrk
DEPS_BENCH := runit s6 supervisor erlang-base python3 procps time
# installs what is missing of a list of packages
need = @missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(1) 2>/dev/null | \
	  awk '$$2 == "installed" { print $$1 }' | sed 's/:.*//' | sort -u); \
	  want=$$(printf '%s\n' $(1) | sort -u | grep -vxF "$$missing" | tr '\n' ' '); \
	  [ -z "$$want" ] || { echo "installing $$want"; \
	  { $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$want >/dev/null 2>&1 || \
	    { $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$want >/dev/null; }; }; }

deps: ## install what building, the demo and the tests need
	$(call need,$(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK))
deps-demo:
	$(call need,$(DEPS_BUILD) $(DEPS_DEMO))
deps-bench:
	$(call need,$(DEPS_BUILD) $(DEPS_BENCH))

demo: deps-demo ## the main job on real programs; KEEP=1 leaves the node running
	@$(MAKE) --no-print-directory -s progs
	@KEEP=$(KEEP) docs/demo/run.sh $(B)/bin

# --- static checks --------------------------------------------------------------------
SOURCES := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
C_SOURCES := $(shell git ls-files 'lib/*.c' 'supervisord/*.c' 'relctl/*.c' 'releases/*.c' 2>/dev/null)
lint: lint-format lint-house lint-cppcheck lint-tidy lint-analyze ## format, house rules, cppcheck, clang-tidy, gcc -fanalyzer
lint-format:
	@clang-format --dry-run -Werror $(SOURCES)
lint-house:
	@tests/house.sh
lint-cppcheck:
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inconclusive \
	  --inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem --suppress=unknownMacro \
	  --suppress=duplicateAssignExpression -j2 -Ilib -Isupervisord -I. $(C_SOURCES)
# each file once per content: the stamp is newer than the file and all headers
TIDY := $(C_SOURCES:%.c=build/tidy/%.ok)
build/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(STD) 2>/dev/null && touch $@
lint-tidy:
	@$(MAKE) --no-print-directory -j2 $(TIDY)
# leaks are left to LeakSanitizer and valgrind: gcc 12 loses track of what a list owns
ANALYZE := $(C_SOURCES:%.c=build/analyze/%.ok)
build/analyze/%.ok: %.c
	@mkdir -p $(@D)
	@gcc $(STD) -O1 -fanalyzer -Wno-analyzer-use-of-uninitialized-value \
	  -Wno-analyzer-malloc-leak -Werror -c -o /dev/null $< && touch $@
lint-analyze:
	@$(MAKE) --no-print-directory -j2 $(ANALYZE)

# --- fuzzers: clang's libFuzzer; the corpora are replayed by every check ----------------
FUZZ_S ?= 60
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FB := build/clang-fuzz
fuzz-build:
	@$(MAKE) --no-print-directory -j2 CC=clang SAN=fuzz $(FUZZERS:%=$(FB)/fuzz/%)
$(B)/fuzz/%: $(B)/tests/fuzz/fuzz_%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(ALL_LIBS)
$(B)/fuzz/http: $(B)/supervisord/worker/http/target.o
fuzz: fuzz-build ## each fuzzer for FUZZ_S seconds
	@tests/fuzz/run.sh $(FB)/fuzz $(FUZZ_S) $(FUZZERS)
fuzz-replay: fuzz-build
	@tests/fuzz/run.sh $(FB)/fuzz 0 $(FUZZERS)

# --- valgrind: memory, and descriptors left open ------------------------------------------
# but two that take minutes there: the walk of the core, which allocates nothing, and control
# with each of its calls failing, which ASan watches and which counts descriptors itself
unit-valgrind: progs $(UNIT) ## unit tests under valgrind (with SAN=valgrind): memory and descriptors
	@tests/run_unit.sh --valgrind $(filter-out %/test_tree_walk %/test_wrap_control,$(UNIT))
.PHONY: unit-valgrind

# --- all together ----------------------------------------------------------------------
check: deps ## what must pass before a push: lint, both compilers, sanitizers, tests
	@tests/check.sh check
matrix: deps ## every compiler and sanitizer over the unit tests, valgrind, longer runs
	@tests/check.sh matrix

# --- measurements ----------------------------------------------------------------------
bench: deps-bench progs ## beside the peers Debian has; writes build/bench/table.md
	@tests/bench/run.sh $(abspath $(B)/bin)

.PHONY: deps deps-demo deps-bench demo lint lint-format lint-house lint-cppcheck lint-tidy \
	lint-analyze fuzz fuzz-build fuzz-replay check matrix bench
