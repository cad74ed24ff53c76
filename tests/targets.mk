# Targets of tests, measurements and tools; included by the Makefile.

# --- the pure core: against Erlang/OTP, and with a virtual clock ---------------------
TREES  ?= 2000
EVENTS ?= 10000000
ORACLE := $(patsubst %.c,$(B)/%.o,$(wildcard tests/oracle/*.c))
SIM_WORLD := $(B)/tests/sim/world.o $(B)/tests/sim/plan.o \
	 $(call obj,$(wildcard supervisord/master/tree*.c))
$(B)/bin/oracle: $(ORACLE) $(SIM_WORLD) $(B)/lib.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

$(B)/bin/sim: $(call obj,$(wildcard tests/sim/sim*.c)) $(SIM_WORLD) $(B)/lib.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,--wrap=edit -o $@ $^

TREE_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_tree_*.c))
TREE_HELP  := $(B)/tests/sim/stage.o $(SIM_WORLD)
$(foreach t,$(TREE_TESTS),$(eval WRAP_$(t) := $(TREE_HELP))$(eval $(B)/unit/$(t): $(TREE_HELP)))

# --- faults in unit tests: all names that tests/unit/wrap.c wraps ------------------------
WRAP_FLAGS := $(shell awk -F', *' '/^WRAPPED/ && $$2 != "NAME" { print "-Wl,--wrap=" $$2 }' tests/unit/wrap.c) -Wl,--wrap=syscall
WRAP_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_wrap_*.c))
$(foreach t,$(WRAP_TESTS),$(eval WRAP_$(t) := $(B)/tests/unit/wrap.o $(WRAP_FLAGS))$(eval $(B)/unit/$(t): $(B)/tests/unit/wrap.o))

sim: $(B)/bin/sim ## EVENTS random events on the pure core, with crashes, virtual clock
	@$< $(or $(SEED),$(shell date +%s)000) $(EVENTS)

oracle: $(B)/bin/oracle ## TREES random trees through Erlang/OTP and through our core
	@tests/oracle/run.sh $< $(TREES) $(SEED)
coverage: ## branches that the unit tests and a short simulation take (gcovr)
	@tests/coverage.sh

mutate: ## break the pure core in many places: its tests must notice each
	@tests/sim/mutate.sh $(N)
.PHONY: oracle sim coverage mutate

# --- storms: master, keeper and roles are killed, faulted, lied to ----------------------
# ROUNDS kills at random; STEPS of each case are sampled, 0: all of them (an hour and more)
ROUNDS ?= 1000
STEPS  ?= 0
$(B)/bin/storm-worker: $(B)/tests/storm/worker.o
$(B)/bin/stepkill: $(B)/tests/storm/stepkill.o
$(B)/bin/storm-worker $(B)/bin/stepkill:
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

storm: progs $(B)/bin/storm-worker $(B)/bin/stepkill ## kill master, keeper, roles: ROUNDS times at random, and at each system call
	@python3 tests/storm/storm.py --bin $(B)/bin --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))
	@python3 tests/storm/steps.py --bin $(B)/bin --sample $(STEPS) $(if $(SEED),--seed $(SEED))
$(B)/bin/inject.so: tests/storm/inject.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -shared -fPIC -o $@ $< -ldl

faults: progs $(B)/bin/storm-worker $(B)/bin/inject.so ## errors of the kernel, injected and healed
	@BIN=$(abspath $(B)/bin) python3 tests/storm/faults.py $(NAME)

hostile: progs $(B)/bin/storm-worker $(B)/bin/inject.so ## states, pids, roles and clocks that lie
	@BIN=$(abspath $(B)/bin) python3 tests/storm/hostile.py $(NAME)
.PHONY: storm faults hostile

# --- scenarios: real processes, as an operator and a newcomer use them -------------------
scenario: progs $(B)/bin/stepkill ## real processes under a node; NAME= runs those whose names hold it
	@BIN=$(abspath $(B)/bin) tests/scenario/run.py $(NAME)
.PHONY: scenario
