# Every target works on a machine that has git, make and Python 3.11 or newer; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := app domain ports adapters tests bench

.DEFAULT_GOAL := help
.PHONY: help setup run check test soak bench format lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: .venv/.run ## Make the environment .venv from the pinned, hashed requirements

run: .venv/.run ## Start Dossier on 127.0.0.1:8000 with an embedded Postgres and files under ./data
	@exec $(BIN)/dossier serve

check: .venv/.dev .venv/.ministack ## Format, lint, types, import contracts and the fast tests: before each commit
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q -m 'not slow' tests/domain tests/contracts tests/http tests/postgres tests/s3 tests/app

test: .venv/.dev .venv/.ministack ## The whole suite: real Postgres, real server, real files, an S3 that verifies
	$(BIN)/pytest -q

soak: .venv/.dev .venv/.ministack ## Crash and sweep tests and schemathesis in their long form: 2,000 kills, 10,000 races, 20,000 calls, over an hour
	SOAK=1 $(BIN)/pytest -q -s -x tests/crash tests/contracts/test_sweep.py tests/acceptance/test_schemathesis.py

ROUNDS ?= 5
SECONDS ?= 3
CREATES ?= 200000
MOST ?= 1000000
RESULTS ?= bench/results
bench: .venv/.bench ## Measure Dossier beside others, on object stores, what admission costs, and how a workspace grows; ROUNDS=1 SECONDS=2 CREATES=0 MOST=10000 is a quick look, ONLY=storage, admission or growth a part
	@$(BIN)/python -m bench --rounds $(ROUNDS) --seconds $(SECONDS) --creates $(CREATES) --most $(MOST) --results $(RESULTS) --only '$(ONLY)'

format: .venv/.dev ## Rewrite the sources in the one format
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lock: ## Resolve requirements/*.txt anew from pyproject.toml (needs uv: pip install uv)
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --upgrade \
		--extra embedded --output-file requirements/run.txt pyproject.toml requirements/build.in
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes \
		--extra embedded --extra dev --constraint requirements/run.txt --output-file requirements/dev.txt pyproject.toml requirements/build.in
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes \
		--extra embedded --extra bench --constraint requirements/run.txt --constraint requirements/dev.txt \
		--output-file requirements/bench.txt pyproject.toml requirements/build.in
	uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --upgrade \
		--output-file requirements/ministack.txt requirements/ministack.in

clean: ## Remove the environment and every cache; ./data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dossier needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one with: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv || { echo "Python cannot make environments here; on Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf .venv; exit 1; }

# Only what the lock files name, and only if its hash is right. They are complete, so pip has nothing to resolve: its
# resolver asks for an extra (piccolo's `pydantic[email]`) by the newest release, and then misses that one's hash.
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
INSTALL = $(BIN)/python $(PIP_INSTALL)
# The checkout itself, linked: built by the pinned hatchling, not by one fetched for the occasion.
LINK = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

.venv/.run: .venv/bin/python requirements/run.txt pyproject.toml
	@echo "Installing what Dossier needs into .venv …"
	@$(INSTALL) --requirement requirements/run.txt
	@$(LINK)
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@echo "Installing what its tests need into .venv …"
	@$(INSTALL) --requirement requirements/dev.txt
	@touch $@

.venv/.bench: .venv/.run requirements/bench.txt
	@echo "Installing what the benchmark's peer needs into .venv …"
	@$(INSTALL) --requirement requirements/bench.txt
	@touch $@

# The S3 server of the tests, apart from what ships: it pins another botocore.
.venv/.ministack: .venv/bin/python requirements/ministack.txt
	@echo "Installing the tests' S3 server into .venv/ministack …"
	@$(BIN)/python -m venv .venv/ministack
	@.venv/ministack/bin/python $(PIP_INSTALL) --requirement requirements/ministack.txt
	@touch $@
