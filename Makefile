# Every target is one line calling `ademruimte` or a standard tool: without make, type that line.
# The three lines of an installation are those of `.venv/.installed`.
PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-header --no-annotate --quiet --extra install

.PHONY: help demo real dev prepare picture test readers builds door browser chaos acceptance shuffle fuzz canary calibrate bench check lint types imports sql promises lock clean contracts
.DEFAULT_GOAL := help

help: ## shows this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

demo: .venv/.installed$(if $(POSTGRES),-dev) ## the whole loop on a small synthetic Kortrijk; POSTGRES=1 publishes to PostgreSQL too
	@$(BIN)/ademruimte demo $(if $(POSTGRES),--postgres)

real: .venv/.installed ## the same loop on real files: make real DATA=folder
	@$(BIN)/ademruimte real --data "$(or $(DATA),$(error say where the files lie: make real DATA=folder))"

dev: .venv/.installed ## the Dagster interface on this machine only
	@$(BIN)/ademruimte dev

prepare: .venv/.installed ## parses the dbt project, so that Dagster starts without doing it
	@$(BIN)/ademruimte prepare

picture: .venv/.installed-dev ## draws what the demo prints and a mail of it, for the README
	@$(BIN)/ademruimte demo --picture docs/demo.svg
	@$(BIN)/python -m tests.alerts.shown var/demo/kortrijk/mail/2026-W48-wonen.eml

test: check ## all checks and all tests
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not (readers or builds or chaos or real or door or browser)"

readers: .venv/.installed-dev ## readers of each store through twenty publishes, TLS of Debian's PostgreSQL; prints what it measured
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || test "$$(id -u)" != 0 || { apt-get update -qq && apt-get install -y -qq postgresql; } >/dev/null 2>&1 || true
	@$(BIN)/pytest -m readers tests/readers tests/orchestration/test_publishing.py

builds: .venv/.installed-dev ## whole builds: corrections, other dates, an empty lake, a profile of an earlier version
	@$(BIN)/pytest -n 2 --dist loadfile -m builds

door: .venv/.installed-dev ## the demo and `make dev` as processes; prints the seconds from a dropped file to published
	@$(BIN)/pytest -m door tests/orchestration/test_showcase.py tests/door

chaos: .venv/.installed-dev ## kills whatever writes, tries hostile files, and looks whether the next build recovers
	@$(BIN)/pytest -m chaos

browser: .venv/.installed-dev ## pages in Chromium without a network; root gets it from Debian where it is absent
	@command -v chromium >/dev/null || test "$$(id -u)" != 0 || { apt-get update -qq && apt-get install -y -qq chromium; } >/dev/null || true
	@$(BIN)/pytest -m browser

acceptance: .venv/.installed-dev ## the real files through the whole loop; skips where they are absent, and says so
	@$(BIN)/pytest -m real

calibrate: .venv/.installed-dev ## measures the judgement method on programmes of which the truth is known
	@$(BIN)/python -m tests.verdicts.calibration
	@$(BIN)/python -m tests.verdicts.three_years

shuffle: .venv/.installed-dev ## lands the demo in 200 orders and compares all marts: make shuffle ORDERS=50 tries fewer
	@SHUFFLES=$(or $(ORDERS),200) $(BIN)/pytest -q tests/orchestration/test_order.py

fuzz: .venv/.installed-dev ## 100 000 hostile rows over all contracts, and hostile requests to `ademruimte web`
	@FUZZ_ROWS=100000 $(BIN)/pytest -q tests/contracts/test_fuzz.py
	@$(BIN)/pytest -q -m chaos tests/orchestration/test_web_fuzz.py

canary: .venv/.installed-dev ## plants tokens and identifiers in every source and fault, and looks for them in every file
	@CANARY=full $(BIN)/pytest -q tests/canary

bench: .venv/.installed-dev ## what one more day costs on ten million readings, beside a day on a month of them
	@$(BIN)/python -m tests.bench.one_more_day

check: .venv/.installed-dev ## everything a machine can see without running the code
	@$(MAKE) --no-print-directory -j 2 lint types imports sql promises

lint: .venv/.installed-dev
	@$(BIN)/ruff check && $(BIN)/ruff format --check --quiet

types: .venv/.installed-dev
	@$(BIN)/mypy

imports: .venv/.installed-dev
	@$(BIN)/lint-imports

sql: .venv/.installed-dev
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project/models dbt_project/tests

promises: .venv/.installed-dev
	@$(BIN)/ademruimte contracts check

contracts: .venv/.installed ## writes docs/contracts and the staging models again from the contract code
	@$(BIN)/ademruimte contracts write

lock: .venv/.installed-dev ## resolves both lock files again after a change of pyproject.toml
	@$(COMPILE) --output-file requirements.lock.txt && $(COMPILE) --extra dev --output-file requirements-dev.lock.txt

clean: ## removes the environment, the caches and the demo; never the data of a city
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dbt_project/target dbt_project/logs var/demo

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 13) else "Ademruimte needs Python 3.11 or 3.12")'
	@$(PYTHON) -m venv .venv

# pip compiles on one core: compileall takes them all
.venv/.installed: requirements.lock.txt pyproject.toml | .venv/bin/python
	@echo "Installing what Ademruimte needs (once, a minute or two)"
	@$(PIP) install -qq --no-compile --require-hashes -r $<
	@$(PIP) install -qq --no-compile --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

.venv/.installed-dev: requirements-dev.lock.txt pyproject.toml | .venv/bin/python
	@echo "Installing what Ademruimte and its tests need (once, a minute or two)"
	@$(PIP) install -qq --no-compile --require-hashes -r $<
	@$(PIP) install -qq --no-compile --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch .venv/.installed $@
