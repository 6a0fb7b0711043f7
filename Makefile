# Everything that is done with this repository is a target here: CI and people call the same ones.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.ONESHELL:
.NOTPARALLEL: # the parts share ports, one broker and few cores
MAKEFLAGS += --no-print-directory

# A 3.13 that pyenv has is found without being on PATH; else uv looks for one, or fetches it.
PYTHON_3_13 ?= $(or $(lastword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3.13)),3.13)
ENVIRONMENTS := .venv/.synced .venvs/airflow/.synced .venvs/emulator/.synced .venvs/sqlcheck/.synced .venvs/terraform/.synced
BIN := .venv/bin
PYTHON := $(BIN)/python
SQL_SOURCES := $(shell find dbt sqlcheck dashboard/queries.py warehouse/schemas csat/landing_schema.json locks/dev.txt locks/sqlcheck.txt \
	-type f -not -path '*/target/*' -not -path '*/logs/*' -not -name '*.pyc' 2> /dev/null)
CHECKED := csat producer spark warehouse dashboard local guard sqlcheck

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Run it

.PHONY: demo up down status reset marts
demo: setup ## Set up, start everything and show it working
	$(BIN)/csat demo
up: setup ## Start the stack on this machine
	$(BIN)/csat up
down: .venv/.synced ## Stop the stack; its data stays
	$(BIN)/csat down
status: .venv/.synced ## Show what runs and whether it is healthy
	$(BIN)/csat status
reset: .venv/.synced ## Stop the stack and delete its data
	$(BIN)/csat reset
marts: .venv/.synced ## Build the marts from what has landed since the last build
	$(BIN)/csat marts build

## Set up

.PHONY: setup jars class-archive
setup: $(ENVIRONMENTS) jars class-archive ## Create the Python environments and fetch the jars

jars: .venv/.synced # refuses with the fix where Java is missing or too old
	$(PYTHON) -m local.jars
class-archive: $(ENVIRONMENTS) jars
	$(PYTHON) -m local.class_archive

define sync
	@command -v uv > /dev/null || { echo "uv is missing: pip install uv" >&2; exit 1; }
	uv venv --quiet --allow-existing --python "$(PYTHON_3_13)" $(@D) || {
		echo "Python 3.13 is missing and uv could not fetch one:" \
			"pyenv install 3.13, or put a python3.13 on PATH." >&2
		exit 1
	}
	uv pip sync --quiet --python $(@D) --require-hashes $<
	uv pip install --quiet --python $(@D) --no-deps --no-build-isolation --editable .
	touch $@
endef

.venv/.synced: locks/dev.txt
	$(sync)
.venvs/%/.synced: locks/%.txt
	$(sync)

## Check it

.PHONY: test check test-unit test-dags test-integration test-e2e
test: setup lint test-dags ## Lint and run every test there is
	$(BIN)/pytest tests/unit tests/integration tests/e2e
check: lint test-unit ## Lint and run the unit tests: the quick round before a commit

test-unit: .venv/.synced .venvs/sqlcheck/.synced ## Run the tests that need nothing running
	$(BIN)/pytest tests/unit
test-dags: .venvs/airflow/.synced ## Run the tests of the DAGs in Airflow's environment
	.venvs/airflow/bin/python -m pytest tests/dags
test-integration: setup ## Run the tests against the real broker, Spark, emulator and dbt
	$(BIN)/pytest tests/integration
test-e2e: setup ## Run the tests of the whole stack
	$(BIN)/pytest tests/e2e

.PHONY: lint lint-python lint-imports lint-dbt lint-sql lint-generated
lint: lint-python lint-imports lint-generated lint-dbt lint-sql ## Check style, types and contracts; changes nothing

lint-python: .venv/.synced
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary $(CHECKED)
lint-imports: .venv/.synced
	$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
lint-dbt: .venv/.synced
	$(BIN)/sqlfluff lint --disable-progress-bar dbt/models
lint-sql: .venvs/sqlcheck/.checked # Google's analyser reads every statement that dbt would send and the board asks
.venvs/sqlcheck/.checked: $(SQL_SOURCES) | .venv/.synced .venvs/sqlcheck/.synced
	CSAT_TOUCHED_DATES='["2026-01-05", "2026-01-06"]' CSAT_AS_OF=2026-01-08 \
		$(PYTHON) -m sqlcheck.record .venvs/sqlcheck/recording.json
	$(PYTHON) -m sqlcheck.record_board .venvs/sqlcheck/board.json
	.venvs/sqlcheck/bin/python -m sqlcheck .venvs/sqlcheck/recording.json .venvs/sqlcheck/board.json
	touch $@
lint-generated: .venv/.synced
	$(PYTHON) -c '$(print_env_example)' | diff .env.example -
	$(PYTHON) -c '$(print_landing_schema)' | diff csat/landing_schema.json -

## Change it

.PHONY: format generated locks
format: .venv/.synced ## Format Python and dbt's SQL, and fix what can be fixed
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/sqlfluff fix --disable-progress-bar dbt/models

print_env_example := from csat.settings import env_example; print(env_example(), end="")
print_landing_schema := from csat.landing import bigquery_schema_json; print(bigquery_schema_json(), end="")
generated: .venv/.synced ## Write the files that are made from code
	$(PYTHON) -c '$(print_env_example)' > .venv/generated && cp .venv/generated .env.example
	$(PYTHON) -c '$(print_landing_schema)' > .venv/generated && cp .venv/generated csat/landing_schema.json

COMPILE := uv pip compile pyproject.toml --quiet --python-version 3.13 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header $(if $(UPGRADE),--upgrade)
locks: ## Resolve the dependency groups into locks/; keeps the pins there are unless UPGRADE=1
	$(COMPILE) --group pipeline --group dev --output-file locks/dev.txt
	$(COMPILE) --group pipeline --constraint locks/dev.txt --output-file locks/pipeline.txt
	$(COMPILE) --group airflow --output-file locks/airflow.txt
	$(COMPILE) --group emulator --output-file locks/emulator.txt
	$(COMPILE) --group sqlcheck --output-file locks/sqlcheck.txt
	$(COMPILE) --group bench --output-file locks/bench.txt
	$(COMPILE) --group terraform --output-file locks/terraform.txt
