# Currency Trends. `make` lists the targets.
# Variables: CC=clang, SAN=address,undefined or SAN=thread (a build directory of its own), WERROR=, V=1
# (print whole commands).

CC      ?= cc
VERSION := 0.1.0
COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
SAN     ?=
WERROR  ?= -Werror
comma   := ,
Q       := $(if $(V),,@)
SILENT  := $(findstring s,$(firstword -$(MAKEFLAGS)))
say      = $(if $(V)$(SILENT),,@printf '  %-5s %s\n' $(1) $@)
BUILD   ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

PKGS      := rdkafka libwebsockets libcurl jansson avro-c libpq libssl libcrypto zlib
PKG_FLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS      := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread -lm

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 $(WERROR)
HARDEN   := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
OPTIMIZE ?= $(if $(SAN),-O1,-O2)
CFLAGS   += -std=c17 -D_GNU_SOURCE -g $(OPTIMIZE) $(WARNINGS) $(HARDEN) -Icommon $(PKG_FLAGS) \
            $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN))

PROGRAMS := ingestor persister scheduler okx-sim avrocat dead-letters
BINARIES := $(PROGRAMS:%=$(BUILD)/bin/%)
objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
dir_of    = $(firstword $(wildcard services/$(1) tools/$(1)))
objs_of   = $(call objects,$(wildcard $(call dir_of,$(1))/*.c))
lib_of    = $(filter-out %/main.o,$(call objs_of,$(1)))

COMMON   := $(call objects,$(wildcard common/*/*.c)) $(BUILD)/obj/common/codec/schema_data.o
TESTS    := $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
TEST_BIN := $(TESTS:tests/%.c=$(BUILD)/tests/%)
INTEGRATION     := $(wildcard tests/integration/test_*.c)
INTEGRATION_BIN := $(INTEGRATION:tests/%.c=$(BUILD)/tests/%)
BENCH_LIB := $(call objects,$(filter-out tests/bench/yard_% %/instructions.c,$(wildcard tests/bench/*.c)))
BENCH_BIN := $(patsubst tests/bench/%.c,$(BUILD)/bench/bin/%,$(wildcard tests/bench/yard_*.c))
CLOCK_STEP := build/tests/chaos/clock_step.so
SUPPORT  := $(call objects,$(wildcard tests/support/*.c))
FUZZ     := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN := $(FUZZ:tests/%.c=$(BUILD)/tests/%)
# What each target is linked with; libFuzzer brings a main function of its own.
FUZZ_SUPPORT := $(call objects,$(filter-out $(FUZZ) $(if $(findstring fuzzer,$(SAN)),%/replay.c),$(wildcard tests/fuzz/*.c)))
SOURCES  := $(wildcard common/*/*.c services/*/*.c tools/*/*.c tests/*/*.c tests/*/*/*.c tests/*/*/*/*.c)
HEADERS  := $(wildcard common/*/*.h services/*/*.h tools/*/*.h tests/*/*.h)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help deps build demo run first-run-dev start down logs ps scale topics tail psql unit integration e2e chaos test test-long \
        endurance test-compose bench instructions instructions-baseline lint format migrate migrate-down \
        create-migration settings-table clean compile-commands

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install what is missing (Debian packages, Kafka and registry jars, Python test packages)
	@tools/deps.sh

build: $(BINARIES) ## compile the services and tools into build/bin

demo: ## the whole pipeline on this machine against the OKX simulator, with live figures
	@tools/deps.sh build run
	@$(MAKE) --no-print-directory -j$$(nproc) build
	@tools/demo/demo.py --okx sim

run: ## the same against the real OKX
	@tools/deps.sh build run
	@$(MAKE) --no-print-directory -j$$(nproc) build
	@tools/demo/demo.py --okx real

first-run-dev: ## with Docker: make env files and secrets (none is overwritten), build images, migrate, start
	@tools/compose/compose.sh prepare
	@tools/compose/compose.sh build
	@tools/compose/compose.sh start

start: ## with Docker: start everything (COMPOSE_PROFILES=sim: against the OKX simulator)
	@tools/compose/compose.sh start

down: ## with Docker: stop and remove the containers; data stays
	@tools/compose/compose.sh down

logs: ## with Docker: follow the logs (s=ingestor for one service)
	@tools/compose/compose.sh logs "$(s)"

ps: ## with Docker: the containers and their health
	@tools/compose/compose.sh ps

scale: ## with Docker: scale s=ingestor n=3
	@tools/compose/compose.sh scale "$(s)" "$(n)"

topics: ## with Docker: the topics with their partitions, replicas and settings
	@tools/compose/compose.sh topics

tail: ## new records of a topic as JSON lines: tail t=trades
	@tools/compose/compose.sh tail "$(or $(t),trades)"

psql: ## the database's prompt
	@tools/compose/compose.sh psql

unit: $(TEST_BIN) $(FUZZ_BIN) ## unit tests, and every fuzz target on its seeds
	@tests/support/run_cmocka.sh $(TEST_BIN) $(FUZZ_BIN)

integration: $(INTEGRATION_BIN) $(BINARIES)
	@tests/support/with_stack.sh tests/support/run_cmocka.sh $(INTEGRATION_BIN)

e2e: build
	@.venv/bin/python -m pytest -q tests/e2e

chaos: build $(CLOCK_STEP) ## break everything, prove that nothing is lost: SEED=1 ROUNDS=20 FAULTS=ws-drop,… PROFILE=short|long RATE=2000
	@E2E_BUILD_DIR=$(BUILD) SEED=$(SEED) ROUNDS=$(ROUNDS) FAULTS=$(FAULTS) PROFILE=$(PROFILE) RATE=$(RATE) \
		.venv/bin/python tests/chaos/run.py

test: deps ## unit tests (also under ASan and UBSan), integration, end-to-end, every fault of the chaos harness once
	@tests/run_all.sh

test-long: deps build ## end-to-end tests with outages of a minute
	@tests/run_all.sh e2e-long

endurance: build ## the same fault 200 times, outages of ten minutes (ONLY=NAME for one loop); takes hours
	@.venv/bin/python tests/endurance/run.py $(ONLY)

test-compose: ## the compose file for real: start, scale, kill, restart (needs Docker)
	@python3 tests/compose/run.py

bench: $(BENCH_BIN) build ## how fast, against what the libraries allow (BENCH=quick, ONLY=a,c)
	@tools/deps.sh
	@.venv/bin/python tests/bench/bench.py

instructions: $(BUILD)/bench/bin/instructions
	@.venv/bin/python -m pytest -q -rs tests/bench

instructions-baseline: $(BUILD)/bench/bin/instructions ## count the data path's instructions anew, for this compiler
	@tests/bench/instructions.py --update

fuzz: ## fuzz every reader of foreign bytes: fuzz SECONDS=60 (of each) ONLY=decimal,cron_expr
	@tools/deps.sh build fuzz
	@tests/fuzz/run.py --seconds $(or $(SECONDS),60) --only "$(ONLY)"

fuzz-corpus: ## adds the small inputs found by make fuzz to tests/fuzz/corpus, where they reach more code
	@tests/fuzz/run.py --keep --only "$(ONLY)"

fuzz-targets: $(FUZZ_BIN)
.PHONY: fuzz fuzz-corpus fuzz-targets

lint: compile-commands ## formatting, clang-tidy, cppcheck, ShellCheck
	@tools/lint.sh

format: ## clang-format over everything
	clang-format -i $(SOURCES) $(HEADERS)

migrate: ## apply the pending migrations: the compose project's database, or that of PG*
	@tools/compose/compose.sh migrate up

migrate-down: ## take the last migration back (n=2 for two)
	@tools/compose/compose.sh migrate down $(or $(n),1)

create-migration: ## create-migration n=NAME: an empty pair of files
	@tools/compose/compose.sh migrate create "$(n)"

settings-table: build ## the settings table of README.md, from --help
	@BUILD_DIR=$(BUILD) tools/settings_table.py

clean: ## remove build/
	rm -rf build compile_commands.json

compile-commands:
	@tools/compile_commands.sh $(CC) "$(CFLAGS)" $(SOURCES) > compile_commands.json

# --- how things are built -------------------------------------------------------------------------

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -I$(firstword $(subst /, ,$<))/$(word 2,$(subst /, ,$<)) -MMD -MP -c -o $@ $<

$(BUILD)/obj/common/codec/schema_data.o: common/codec/schema_data.S $(wildcard schemas/*.avsc)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -c -o $@ $<

# Written anew only when it changes, so that a commit costs one object and the links.
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(COMMIT)' | cmp -s - $@ || echo '$(VERSION) $(COMMIT)' > $@
.PHONY: FORCE

$(BUILD)/obj/common/base/program.o: $(BUILD)/version
$(BUILD)/obj/common/base/program.o: CPPFLAGS += -DPROGRAM_VERSION='"$(VERSION)"' -DPROGRAM_COMMIT='"$(COMMIT)"'

$(BUILD)/libcommon.a: $(COMMON)
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcs $@ $^

# librdkafka's threads, which ThreadSanitizer would not know.
TSAN_THREADS := $(if $(filter thread,$(SAN)),$(BUILD)/obj/tests/support/tsan_threads.o)

define program_rule
$(BUILD)/bin/$(1): $(call objs_of,$(1)) $(TSAN_THREADS) $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(call say,LD)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rule,$(program))))

# A test links the objects of the program whose folder it stands in (tests/unit/services/ingestor/...).
$(BUILD)/obj/tests/%.o: CFLAGS += -Iservices -Itools -I.
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(SUPPORT) $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) -lcmocka
# The benchmark's own programs: tests/bench/yard_*.c, each with what else is there.
$(BUILD)/libbench.a: $(BENCH_LIB)
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcs $@ $^
$(BUILD)/bench/bin/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libbench.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
$(BUILD)/bench/bin/yard_postgres: $(call lib_of,persister)
# The instruction counts are those of both services' own modules. Older valgrinds cannot read clang's debug information.
$(BUILD)/bench/bin/instructions: $(BUILD)/obj/tests/bench/instructions.o $(call lib_of,ingestor) $(call lib_of,persister) $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -Wl,--strip-debug -o $@ $^ $(LIBS)
# Preloaded into services, to step their clock or lose their producer; never sanitized themselves.
build/tests/%.so: tests/%.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -O2 $(WARNINGS) $(PKG_FLAGS) -fPIC -shared -o $@ $< -ldl
define test_objects_rule
$(filter $(BUILD)/tests/unit/$(call dir_of,$(1))/%,$(TEST_BIN)): $(call lib_of,$(1))
endef
$(foreach program,$(PROGRAMS),$(if $(filter $(BUILD)/tests/unit/$(call dir_of,$(program))/%,$(TEST_BIN)),$(eval $(call test_objects_rule,$(program)))))
# A fuzz target may use any program: it links what it needs of their libraries.
PROGRAM_LIBS := $(PROGRAMS:%=$(BUILD)/lib/%.a)
define program_lib_rule
$(BUILD)/lib/$(1).a: $(call lib_of,$(1))
	@mkdir -p $$(@D) && rm -f $$@
	$$(call say,AR)
	$$(Q)ar rcs $$@ $$^
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_lib_rule,$(program))))
$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZ_SUPPORT) $(PROGRAM_LIBS) $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
# So does an integration test of a program by its name (tests/integration/test_persister_*.c).
integration_of = $(filter $(BUILD)/tests/integration/test_$(1)_%,$(INTEGRATION_BIN))
$(foreach program,$(PROGRAMS),$(if $(call integration_of,$(program)),$(eval $(call integration_of,$(program)): $(call lib_of,$(program)))))

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
