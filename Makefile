# Matinee's commands. `make` lists them; each works alone on a fresh clone with Python 3.11+, make and git.

PYTHON := $(firstword $(foreach p,python3.12 python3.11 python3.13 python3,$(shell $(p) -c 'import sys; (3,11) <= sys.version_info < (3,14) and print("$(p)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export DAGSTER_HOME := $(CURDIR)/.dagster
export MATINEE_WAREHOUSE ?= $(CURDIR)/warehouse
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help run dev dashboard test test-long lint format bench images lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: $(READY) ## Run everything on the demo world (or MATINEE_SOURCE) and say where the report is
	@$(BIN)/matinee run

dev: $(READY) ## Open the Dagster UI on http://127.0.0.1:3000
	$(BIN)/dagster dev

dashboard: $(READY) ## Open the dashboard over the published results on http://127.0.0.1:8501
	$(BIN)/matinee dashboard

test: $(READY) ## Run the tests (needs nothing else; real files and a browser are used where they are)
	$(BIN)/pytest -n 2 --dist worksteal -m "not long"

test-long: $(READY) ## Run the tests that take long: the public files in whole runs, repeated runs, runs under a reader
	$(BIN)/pytest -n 2 --dist worksteal -m long

lint: $(READY) ## Check style, types, SQL, imports and definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint dbt_project
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate

format: $(READY) ## Put code and SQL in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --quiet dbt_project

bench: $(READY) ## Measure Matinee against the plain notebook, back to back (an hour at full scale: see benchmarks/)
	$(BIN)/python benchmarks/measure.py --help

images: $(READY) ## Redraw the pictures of the documentation from a run on the demo world (needs Chromium)
	$(BIN)/python docs/make_images.py $(MATINEE_WAREHOUSE)

lock: ## Resolve the dependencies anew into requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-emit-index-url \
		--no-emit-find-links --custom-compile-command "make lock" --output-file requirements.lock

clean: ## Remove the environment and everything a run made
	rm -rf $(VENV) dbt_project/target dbt_project/logs
	find warehouse -mindepth 1 ! -name README.md -delete
	find .dagster -mindepth 1 ! -name dagster.yaml -delete

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Matinee needs Python 3.11, 3.12 or 3.13 (python3 --version: $$(python3 --version 2>&1))"; exit 1; }
	@echo "Building the environment in $(VENV) (once, a minute or two) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@# Where PYTHONDONTWRITEBYTECODE is set, pip leaves this out, and each start compiles for ten seconds.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q -j 0 $(VENV) > /dev/null || true
	@touch $@
