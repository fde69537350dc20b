# Everything a person or CI does with this repository. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
TRAIN_VENV := .venv-train
BIN := $(VENV)/bin

# A stamp is named for what it was made from, so that a second start does no work and needs no network. The folder is part of
# it: a virtual environment that was moved no longer runs.
digest = $(shell { cat $(1); echo "$(CURDIR)"; } | cksum | tr -s ' ' '-')
INSTALLED := $(VENV)/.installed-$(call digest,requirements.txt)
EDITABLE := $(VENV)/.editable-$(call digest,pyproject.toml)
DEV_INSTALLED := $(VENV)/.dev-$(call digest,requirements-dev.txt)
TRAIN_INSTALLED := $(TRAIN_VENV)/.installed-$(call digest,requirements-train.txt)
TRAIN_EDITABLE := $(TRAIN_VENV)/.editable-$(call digest,pyproject.toml)

# Only wheels: building from source would fetch build tools that no hash covers.
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all:
PIP_EDITABLE := -m pip install -qq --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
COMPILE := uv pip compile pyproject.toml --group build --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --quiet --custom-compile-command "make lock"

# What `make test` runs: all but the long fault runs (`make faults`) and what needs torch (`make test-train`).
MARK ?= not slow and not train
PYTEST_ARGS ?=
# Processes that share the suite; JOBS=0 runs it in one.
JOBS ?= logical

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- set up and run

.PHONY: setup
setup: $(INSTALLED) $(EDITABLE) ## make .venv with .venv/bin/jaga (once; later runs do nothing)

.PHONY: run
run: setup ## the demo: a small web, crawlers, workers, API and page on http://127.0.0.1:8000
	@$(BIN)/jaga up --demo

.PHONY: python-is-new-enough
python-is-new-enough:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) was not found. Jaga Ruang needs Python 3.11 or newer; name yours with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("make: $(PYTHON) is Python %d.%d. Jaga Ruang needs 3.11 or newer; name another with: make PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }

$(INSTALLED): | python-is-new-enough
	@echo "Setting up $(VENV) (once; one or two minutes, most of it download) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@touch $@

$(EDITABLE): $(INSTALLED)
	@$(BIN)/python $(PIP_EDITABLE)
	@rm -f $(VENV)/.editable-* && touch $@

$(DEV_INSTALLED): $(INSTALLED)
	@echo "Adding what the tests need to $(VENV) (once) ..."
	@$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt
	@rm -f $(VENV)/.dev-* && touch $@

$(TRAIN_INSTALLED): | python-is-new-enough
	@echo "Setting up $(TRAIN_VENV) with torch (once; several GB) ..."
	@$(PYTHON) -m venv --clear $(TRAIN_VENV)
	@$(TRAIN_VENV)/bin/python $(PIP_INSTALL) -r requirements-train.txt
	@touch $@

$(TRAIN_EDITABLE): $(TRAIN_INSTALLED)
	@$(TRAIN_VENV)/bin/python $(PIP_EDITABLE)
	@rm -f $(TRAIN_VENV)/.editable-* && touch $@

# ---------------------------------------------------------------- tests

.PHONY: dev
dev: setup $(DEV_INSTALLED) ## setup, and what tests and checks need

.PHONY: check
check: dev ## style, types and import directions
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --config .importlinter

.PHONY: test
test: check ## the whole test suite, with style, types and import directions
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "$(MARK)" $(PYTEST_ARGS)

.PHONY: faults
faults: dev ## all fault runs: kills, stopped servers, full disks, poison posts (long)
	$(BIN)/python -m pytest -m "slow or not slow" tests/faults tests/crawlers/test_crawl_kills.py $(PYTEST_ARGS)

.PHONY: test-train
test-train: $(TRAIN_INSTALLED) $(TRAIN_EDITABLE) ## the tests of training and of the reference engine (torch, its own .venv-train)
	$(TRAIN_VENV)/bin/python -m pytest -m train $(PYTEST_ARGS)

.PHONY: servers
servers: dev ## start a real Kafka and a real Elasticsearch on this machine, without containers
	$(BIN)/python -m tests.servers start

.PHONY: stop-servers
stop-servers: dev ## stop them
	$(BIN)/python -m tests.servers stop

# ---------------------------------------------------------------- upkeep

.PHONY: format
format: dev ## put the code in the house's form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: ## make the requirement files again from pyproject.toml (needs uv; UPGRADE=--upgrade for newer versions)
	$(COMPILE) $(UPGRADE) -o requirements.txt
	$(COMPILE) $(UPGRADE) -c requirements.txt --extra dev -o requirements-dev.txt
	$(COMPILE) $(UPGRADE) -c requirements-dev.txt --extra dev --extra train -o requirements-train.txt

.PHONY: settings-table
settings-table: setup ## write docs/settings.md again from the settings
	$(BIN)/python -m tests.house.settings_table --write

.PHONY: screenshot
screenshot: dev ## the page's picture in the README, from `make run` in another terminal
	$(BIN)/python -m tests.browser.screenshot --url http://127.0.0.1:8000 --token "$$(cat var/demo/token)" --out docs/screenshot.png

.PHONY: clean
clean: ## remove what was built; what the program stored (var/) stays
	rm -rf $(VENV) $(TRAIN_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
