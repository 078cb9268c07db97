# Matinee's commands. `make` lists them; each works alone on a fresh clone with Python 3.11+, make and git.

PYTHON := $(firstword $(foreach p,python3.12 python3.11 python3.13 python3,$(shell $(p) -c 'import sys; (3,11) <= sys.version_info < (3,14) and print("$(p)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_TO_CHANGE := $(VENV)/.ready-to-change
READY_FOR_SPARK := $(VENV)/.ready-for-spark

# Python keeps the bytecode of what is imported: without it each start compiles for ten seconds.
unexport PYTHONDONTWRITEBYTECODE

export DAGSTER_HOME := $(CURDIR)/.dagster
export MATINEE_WAREHOUSE ?= $(CURDIR)/warehouse
# As it is meant where make was started: a command that works in another folder would read a relative one anew.
WAREHOUSE = $(abspath $(MATINEE_WAREHOUSE))
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1

RESOLVE := uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run dev dashboard test test-long test-spark test-spark-long lint check-style check-types check-sql \
	check-imports check-definitions format bench docs hooks images lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: $(READY) ## Run everything on the demo world (or MATINEE_SOURCE) and say where the report is
	@$(BIN)/matinee run

dev: $(READY) ## Open the Dagster UI on http://127.0.0.1:3000
	$(BIN)/dagster dev

dashboard: $(READY) ## Open the dashboard over the published results on http://127.0.0.1:8501
	$(BIN)/matinee dashboard

test: $(READY_TO_CHANGE) ## Run the tests (needs nothing else; real files and a browser are used where they are)
	$(BIN)/pytest -n 2 --dist worksteal -m "not long and not spark"

test-long: $(READY_TO_CHANGE) ## Run the tests that take long: public files in whole runs, runs under a reader, many examples
	$(BIN)/pytest -n 2 --dist worksteal -m "(long or hypothesis) and not spark" --hypothesis-profile long

test-spark: $(READY_TO_CHANGE) $(READY_FOR_SPARK) ## Run the tests of Spark, on this machine (they skip where there is no Java 17)
	$(BIN)/pytest tests/spark -m "spark and not long"

test-spark-long: $(READY_TO_CHANGE) $(READY_FOR_SPARK) ## Run whole worlds on both engines, kills, and a cluster on this machine
	$(BIN)/pytest tests/spark -m "spark and long"

lint: check-style check-types check-sql check-imports check-definitions ## Check style, types, SQL, imports and definitions

# Each check alone, for `pre-commit` too, which asks only for those whose files a commit changes.
check-style: $(READY_TO_CHANGE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
check-types: $(READY_TO_CHANGE)
	$(BIN)/mypy
check-sql: $(READY_TO_CHANGE)
	$(BIN)/sqlfluff lint dbt_project
check-imports: $(READY_TO_CHANGE)
	$(BIN)/lint-imports
check-definitions: $(READY_TO_CHANGE)
	@# Declarations against their schema, then the graph. dg warns of an environment that is not the project's own.
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/dg check defs

format: $(READY_TO_CHANGE) ## Put code and SQL in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --quiet dbt_project

bench: $(READY_TO_CHANGE) ## Measure Matinee against the plain notebook, back to back (an hour at full scale: see benchmarks/)
	$(BIN)/python benchmarks/measure.py --help

docs: $(READY) ## Write dbt's pages about every table of the last run, one file that opens without a network
	@cd dbt_project && MATINEE_WAREHOUSE="$(WAREHOUSE)" ../$(BIN)/dbt --quiet docs generate --static --target-path "$(WAREHOUSE)/docs" --log-path "$(WAREHOUSE)/docs"
	@echo "Tables, columns and lineage: $(WAREHOUSE)/docs/static_index.html"

hooks: $(READY_TO_CHANGE) ## Check what a commit changes before each commit (pre-commit)
	$(BIN)/pre-commit install

images: $(READY_TO_CHANGE) ## Redraw the pictures of the documentation from a run on the demo world (needs Chromium)
	$(BIN)/python docs/make_images.py "$(WAREHOUSE)"

lock: ## Resolve the dependencies anew into the three requirements files
	$(RESOLVE) --output-file requirements.lock
	$(RESOLVE) --extra dev --extra postgres --constraint requirements.lock --output-file requirements-dev.lock
	$(RESOLVE) --extra spark --constraint requirements.lock --output-file requirements-spark.lock

clean: ## Remove the environment and everything a run made
	rm -rf $(VENV) dbt_project/target dbt_project/logs
	find warehouse -mindepth 1 ! -name README.md -delete
	find .dagster -mindepth 1 ! -name dagster.yaml -delete

# What it takes to run comes first; what it takes to change Matinee comes on top, once somebody tests or lints.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Matinee needs Python 3.11, 3.12 or 3.13 (python3 --version: $$(python3 --version 2>&1))"; exit 1; }
	@echo "Building the environment in $(VENV) (once, a minute or two) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --editable .
	@touch $@

$(READY_TO_CHANGE): requirements-dev.lock $(READY)
	@echo "Adding the tools for tests and checks to $(VENV) (once) ..."
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(READY_FOR_SPARK): requirements-spark.lock $(READY)
	@echo "Adding Spark to $(VENV) (once) ..."
	@$(INSTALL) --require-hashes -r requirements-spark.lock
	@touch $@
