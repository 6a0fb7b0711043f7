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
SQL_SOURCES := $(shell find dbt sqlcheck warehouse/schemas csat/landing_schema.json locks/dev.txt locks/sqlcheck.txt \
	-type f -not -path '*/target/*' -not -path '*/logs/*' -not -name '*.pyc' 2> /dev/null)
TERRAFORM_OFFLINE := .venvs/terraform/bin/python terraform/tests/stub_provider.py -chdir=terraform
CHECKED := csat producer spark warehouse local guard sqlcheck terraform

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

## Run it on Google Cloud: terraform/README.md

ENVIRONMENT ?= dev
TERRAFORM := terraform -chdir=terraform
TFVARS := -var-file=environments/$(ENVIRONMENT).tfvars
TFPLAN := .terraform/$(ENVIRONMENT).tfplan

.PHONY: cloud-init cloud-plan cloud-apply cloud-destroy cloud-env
cloud-init:
	@command -v terraform > /dev/null || { echo "terraform is missing: https://developer.hashicorp.com/terraform/install" >&2; exit 1; }
	$(TERRAFORM) init -input=false -reconfigure -backend-config=environments/$(ENVIRONMENT).gcs.tfbackend
cloud-plan: cloud-init ## Show what would change in ENVIRONMENT (dev) on Google Cloud
	$(TERRAFORM) plan $(TFVARS) -out=$(TFPLAN)
cloud-apply: ## Change what the last cloud-plan showed
	@test -f terraform/$(TFPLAN) || { echo "nothing is planned: make cloud-plan ENVIRONMENT=$(ENVIRONMENT)" >&2; exit 1; }
	$(MAKE) cloud-init
	$(TERRAFORM) apply -input=false $(TFPLAN)
	rm terraform/$(TFPLAN)
cloud-destroy: cloud-init ## Delete what Terraform made in ENVIRONMENT, after a yes
	$(TERRAFORM) destroy $(TFVARS)
cloud-env: cloud-init .venv/.synced ## Write .env from ENVIRONMENT; asks before it replaces one
	$(TERRAFORM) output -json env_vars | $(PYTHON) terraform/write_env.py .env

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

.PHONY: test check test-unit test-dags test-terraform test-integration test-e2e
test: setup lint test-dags ## Lint and run every test there is
	$(BIN)/pytest tests/unit tests/terraform tests/integration tests/e2e tests/chaos
check: lint test-unit ## Lint and run the unit tests: the quick round before a commit

test-unit: .venv/.synced .venvs/sqlcheck/.synced ## Run the tests that need nothing running
	$(BIN)/pytest tests/unit
test-dags: .venvs/airflow/.synced ## Run the tests of the DAGs in Airflow's environment
	.venvs/airflow/bin/python -m pytest tests/dags
test-terraform: .venv/.synced .venvs/terraform/.synced ## Run the tests of the cloud's resources, without a cloud
	$(BIN)/pytest tests/terraform
test-integration: setup ## Run the tests against the real broker, Spark, emulator and dbt
	$(BIN)/pytest tests/integration
test-e2e: setup ## Run the tests of the whole stack
	$(BIN)/pytest tests/e2e

FAULTS ?= 23
SEED ?= 1
.PHONY: chaos
chaos: setup ## Attack a stack of its own with FAULTS=n random faults of SEED=s; prints what was lost and when it was back
	$(PYTHON) -m tests.chaos.run --faults $(FAULTS) --seed $(SEED)

MINUTES ?= 90
RATE ?= 50
.PHONY: soak
soak: setup ## Load a stack of its own for MINUTES=n at RATE=n events a second; fails where the stream grows or loses anything
	$(PYTHON) -m bench.soak --minutes $(MINUTES) --rate $(RATE) --results bench/results/soak.json

EVENTS ?= 1000000
.PHONY: bench-stream
bench-stream: setup .venvs/bench/.synced ## Measure the stream against what people write instead, EVENTS=n
	$(PYTHON) -m bench.stream --events $(EVENTS) --results bench/results/stream.json
.PHONY: bench-stream-parts bench-latency
bench-stream-parts: setup ## Measure where the stream's time goes, EVENTS=n
	PYSPARK_PYTHON=$(abspath $(PYTHON)) SPARK_LOCAL_IP=127.0.0.1 $(PYTHON) -m bench.stream_parts \
		--events $(EVENTS) --results bench/results/stream_parts.json
bench-latency: setup ## Measure the time from event to landing at 20 events a second, with everything running
	$(PYTHON) -m bench.soak --minutes 5 --rate 20 --results bench/results/latency.json

.PHONY: lint lint-python lint-imports lint-dbt lint-sql lint-terraform lint-generated
lint: lint-python lint-imports lint-generated lint-dbt lint-sql lint-terraform ## Check style, types and contracts; changes nothing

lint-python: .venv/.synced
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary $(CHECKED)
lint-imports: .venv/.synced
	$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
lint-dbt: .venv/.synced
	$(BIN)/sqlfluff lint --disable-progress-bar dbt/models
lint-sql: .venvs/sqlcheck/.checked # Google's analyser reads every statement that dbt would send
.venvs/sqlcheck/.checked: $(SQL_SOURCES) | .venv/.synced .venvs/sqlcheck/.synced
	CSAT_TOUCHED_DATES='["2026-01-05", "2026-01-06"]' CSAT_AS_OF=2026-01-08 \
		$(PYTHON) -m sqlcheck.record .venvs/sqlcheck/recording.json
	.venvs/sqlcheck/bin/python -m sqlcheck .venvs/sqlcheck/recording.json
	touch $@
lint-terraform: .venvs/terraform/.synced # of shape only: the provider is a stub
	$(TERRAFORM_OFFLINE) fmt -check -recursive
	$(TERRAFORM_OFFLINE) validate > .venvs/terraform/validate.log || { cat .venvs/terraform/validate.log; exit 1; }
lint-generated: .venv/.synced
	$(PYTHON) -c '$(print_env_example)' | diff .env.example -
	$(PYTHON) -c '$(print_landing_schema)' | diff csat/landing_schema.json -

## Change it

.PHONY: format generated locks
format: .venv/.synced ## Format Python, dbt's SQL and Terraform, and fix what can be fixed
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/sqlfluff fix --disable-progress-bar dbt/models
	terraform fmt -recursive terraform

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
