# Every target works on a machine with git, make and Python 3.11 or newer. `make help` lists them.
ifeq ($(origin PYTHON),undefined)
PYTHON := python3
# What runs for long, or is measured, gets the fastest Python of the machine. The tests get the usual one.
run setup bench: PYTHON = $(or $(shell sh requirements/choose_python.sh),python3)
endif
BIN := .venv/bin
SOURCES := app domain ports adapters client tests bench requirements
# Each process starts its own Postgres, Valkey and S3 server. `worksteal` gives each process half of the files in order,
# so few fixtures are set up twice, and a process that is done takes tests of the other: a few files take most of the time.
PARALLEL := -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup run check test soak bench format generated lock audit clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: .venv/.run ## Create the environment .venv from the pinned, hashed requirements

run: .venv/.run ## Start Dossier on 127.0.0.1:8000 with an embedded Postgres and files under ./data
	@exec $(BIN)/dossier serve

check: .venv/.dev .venv/.ministack ## Check format, lint, types and import contracts, and run the fast tests: before each commit
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q $(PARALLEL) -m 'not slow' --transport=memory tests/domain tests/contracts tests/http tests/front tests/postgres tests/s3 tests/app tests/client tests/acceptance

test: .venv/.dev .venv/.ministack ## Run the whole suite: real Postgres, real server, real files, an S3 server that verifies signatures
	$(BIN)/pytest -q $(PARALLEL)

soak: .venv/.dev .venv/.ministack ## Run the crash tests, the sweep tests and schemathesis in their long form: 2,000 kills, 10,000 races, 20,000 calls; over an hour
	SOAK=1 $(BIN)/pytest -q -s -x tests/crash tests/contracts tests/workers/test_lifecycle.py tests/acceptance/test_schemathesis.py

ROUNDS ?= 2
SECONDS ?= 2
CREATES ?= 100000
MOST ?= 1000000
RESULTS ?= bench/results
bench: .venv/.bench ## Measure Dossier beside others, on object stores, its admission, its workers, and a growing workspace. Quick: ROUNDS=1 SECONDS=1 CREATES=0 MOST=0. One part: ONLY=neighbours, storage, admission, workers, growth or workspaces. BEFORE=folder adds another checkout of Dossier
	@$(BIN)/python -m bench --rounds $(ROUNDS) --seconds $(SECONDS) --creates $(CREATES) --most $(MOST) --results $(RESULTS) --only '$(ONLY)' $(if $(BEFORE),--before '$(BEFORE)')

format: .venv/.dev ## Format the sources
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

generated: .venv/.dev ## Write the generated files again, after an intended change: tests/http/openapi.json and adapters/postgres/schema.sql
	$(BIN)/python -m tests.http.test_openapi
	$(BIN)/python -m tests.postgres.test_schema

lock: ## Resolve requirements/*.txt again from pyproject.toml (needs uv: pip install uv)
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --upgrade \
		--extra embedded --output-file requirements/run.txt pyproject.toml requirements/build.in
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes \
		--extra embedded --extra dev --constraint requirements/run.txt --output-file requirements/dev.txt pyproject.toml requirements/build.in
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes \
		--extra embedded --extra bench --constraint requirements/run.txt --constraint requirements/dev.txt \
		--output-file requirements/bench.txt pyproject.toml requirements/build.in
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --upgrade \
		--output-file requirements/ministack.txt requirements/ministack.in
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --upgrade \
		--output-file requirements/audit.txt requirements/audit.in

audit: .venv/.audit ## Compare all pinned versions with the published advisories; fails if one could not be looked up
	@.venv/audit/bin/python requirements/audit.py requirements/run.txt requirements/dev.txt

clean: ## Remove the environment and every cache, but not ./data
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dossier needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Choose another one: make PYTHON=python3.12 …")'
	@"$(PYTHON)" -m venv .venv || { echo "This Python cannot create environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf .venv; exit 1; }
	@$@ requirements/interpreter.py advise >&2

# pip installs only packages that a lock file names, and only if their hashes match. The lock files are complete, so
# --no-deps is safe. It is also necessary: pip's resolver would ask for an extra (piccolo's `pydantic[email]`) in its
# newest release, for which the lock file has no hash.
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
INSTALL = $(BIN)/python $(PIP_INSTALL)
# Link the checkout itself into the environment. --no-build-isolation: build with the pinned hatchling, not a fresh download.
LINK = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

.venv/.run: .venv/bin/python requirements/run.txt pyproject.toml
	@echo "Installing the dependencies of Dossier into .venv …"
	@$(INSTALL) --requirement requirements/run.txt
	@$(LINK)
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@echo "Installing the dependencies of the tests into .venv …"
	@$(INSTALL) --requirement requirements/dev.txt
	@touch $@

.venv/.bench: .venv/.run requirements/bench.txt
	@echo "Installing the dependencies of the benchmark into .venv …"
	@$(INSTALL) --requirement requirements/bench.txt
	@touch $@

# The S3 server of the tests has an environment of its own: it pins another version of botocore.
.venv/.ministack: .venv/bin/python requirements/ministack.txt
	@echo "Installing the tests' S3 server into .venv/ministack …"
	@$(BIN)/python -m venv .venv/ministack
	@.venv/ministack/bin/python $(PIP_INSTALL) --requirement requirements/ministack.txt
	@touch $@

# pip-audit has many dependencies of its own, none of which Dossier needs.
.venv/.audit: .venv/bin/python requirements/audit.txt
	@echo "Installing pip-audit into .venv/audit …"
	@$(BIN)/python -m venv .venv/audit
	@.venv/audit/bin/python $(PIP_INSTALL) --requirement requirements/audit.txt
	@touch $@
