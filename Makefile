# make run    set up, fill in a demo town when the data folder is empty, serve; DEMO=stock-outs or DEMO=election
# make test   set up, run the tests (no server and no browser needed)
# make check  format, lint, types, layers, templates
# The rest is explained in CONTRIBUTING.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Each demo has a folder of its own.
DATA ?= $(or $(COMMONBEAT_DATA_DIR),data$(if $(filter-out town,$(DEMO)),-$(DEMO)))
NAME ?=
DEMO ?= town
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench fuzz sbom screens lock translations settings-page clean

help:
	@sed -n 's/^# //p' $(MAKEFILE_LIST)

setup: $(STAMP)

# The stamp is newer than the lock file and pyproject.toml, so a second make does nothing.
$(STAMP): requirements-dev.lock pyproject.toml
	@for python in $(PYTHON) python3.13 python3.12 python3.11; do \
	  if command -v $$python >/dev/null 2>&1 && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    found=$$python; break; fi; done; \
	if [ -z "$${found:-}" ]; then \
	  echo "Commonbeat needs Python 3.11 or newer, and none was found. Install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; fi; \
	if ! $$found -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	  version=$$($$found -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "$$found cannot make virtual environments. On Debian and Ubuntu: apt-get install python$$version-venv" >&2; exit 2; fi; \
	[ -x $(BIN)/python ] || $$found -m venv $(VENV)
	@echo "Installing what is locked into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup
	@COMMONBEAT_DATA_DIR="$(DATA)" $(BIN)/commonbeat demo --if-empty --deployment "$(DEMO)"
	@COMMONBEAT_DATA_DIR="$(DATA)" exec $(BIN)/commonbeat serve

# One process per core: 2 cores take the suite in about 55 % of the time.
test: setup
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal $(PYTEST_ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet src/commonbeat
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	@if [ -n "$(NAME)" ]; then $(BIN)/python bench/$(NAME).py; \
	else for file in bench/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done; fi

# Only where atheris has a wheel: Linux on x86-64. SECONDS=600 searches longer.
fuzz: setup
	COMMONBEAT_TEST_FUZZ_SECONDS=$(or $(SECONDS),30) $(BIN)/pytest -q -m fuzz tests/fuzz

# What a release is made of, for whoever must know; goes with the release, not into the repository.
sbom: setup
	$(BIN)/python -m tools.sbom dist/sbom.cdx.json

screens: setup
	$(BIN)/python docs/screens/make.py

translations: setup
	$(BIN)/python tools/translations.py

settings-page: setup
	$(BIN)/commonbeat settings --markdown > docs/settings.md

# Needs uv (pip install uv). Locks carry hashes and no address of any index, so that each machine uses its own.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
