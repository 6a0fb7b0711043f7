# Everything that is done with this repository is a target here: CI and people call the same ones.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.ONESHELL:
# What these do first shares nothing, and much of it waits for a download
ifneq ($(and $(filter 1,$(words $(MAKECMDGOALS))),$(filter test demo up setup,$(MAKECMDGOALS))),)
MAKEFLAGS += --jobs=4
else
.NOTPARALLEL: # the parts share ports, one broker and few cores
endif
MAKEFLAGS += --no-print-directory
# A stack starts a dozen Pythons and each task of Airflow another: without bytecode, each compiles all that it imports
unexport PYTHONDONTWRITEBYTECODE

# Of bench and test-long. Only the command line sets it: some systems have such a variable
NAME :=
# What a call needs beside uv and Python; tools/bootstrap installs it first
is_goal = $(filter $(1),$(MAKECMDGOALS))
NEEDS := $(if $(call is_goal,demo up setup jars% lock-jars% class-archive test% check chaos soak $(if $(NAME),bench) \
	screenshots cloud-deploy),java)
NEEDS += $(if $(call is_goal,test test-rest test-integration screenshots $(if $(filter dashboard,$(NAME)),bench)),chromium)
OF_TERRAFORM := lint-terraform test-terraform cloud-init cloud-plan cloud-plan-offline cloud-apply cloud-destroy cloud-env cloud-deploy
NEEDS += $(if $(call is_goal,test check lint format $(OF_TERRAFORM)),terraform)
export PATH := $(CURDIR)/.venvs/uv/bin:$(CURDIR)/.venvs/terraform-cli:$(CURDIR)/.venvs/jdk/bin:$(PATH)

# A 3.13 that pyenv has is found without being on PATH; else uv looks for one.
PYTHON_3_13 ?= $(or $(lastword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3.13)),3.13)
ENVIRONMENTS := .venv/.synced .venvs/airflow/.synced .venvs/postgres/.synced .venvs/emulator/.synced
FOR_CHECKS := .venvs/sqlcheck/.synced .venvs/terraform/.synced
BIN := .venv/bin
PYTHON := $(BIN)/python
SQL_SOURCES := $(shell find dbt tools/sqlcheck csat/*/sql csat/marts/differences.py csat/reporting/report.yaml csat/bigquery/schemas csat/contract/landing_schema.json locks/dev.txt locks/sqlcheck.txt \
	-type f -not -path '*/target/*' -not -path '*/logs/*' -not -name '*.pyc' 2> /dev/null)
TERRAFORM_OFFLINE := .venvs/terraform/bin/python terraform/tests/stub_provider.py -chdir=terraform
# codespell's own dictionary, and ours
DICTIONARIES := --dictionary - --dictionary tools/retired_words.txt
CHECKED := csat producer spark tools terraform dags tests

# A target with "## …" is listed; a part of one, or one that is rarely called, says what it does after one "#".
.PHONY: help
help: # Show this list
	@awk -F ':.*## ' '/^## / { printf "\n%s\n", substr($$0, 4) } /^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)
	printf '\nThe Makefile describes the other targets, such as lint-python, test-unit, locks and screenshots.\n'

## Run it

.PHONY: demo up down status reset marts
demo: $(ENVIRONMENTS) jars ## Set up, start everything and show it working
	@$(BIN)/csat demo
	echo 'To call csat in this shell: export PATH="$(CURDIR)/.venv/bin:$$PATH"'
up: $(ENVIRONMENTS) jars ## Start the stack on this machine
	$(BIN)/csat up
down: .venv/.synced ## Stop the stack; its data stays
	$(BIN)/csat down
status: .venv/.synced ## Show what runs and whether it is healthy
	$(BIN)/csat status
reset: .venv/.synced ## Stop the stack and delete its data
	$(BIN)/csat reset
marts: .venv/.synced ## Build the marts from what has landed since the last build
	$(BIN)/csat marts build

## Run it on Google Cloud: docs/cloud.md

# Empty: state in terraform/ and the values of terraform.tfvars, as plain terraform has them. dev, prod: environments/
ENVIRONMENT ?=
TERRAFORM := terraform -chdir=terraform
TFVARS := $(if $(ENVIRONMENT),-var-file=environments/$(ENVIRONMENT).tfvars)
TFPLAN := $(or $(ENVIRONMENT),local).tfplan
TFBACKEND := terraform/backend_override.tf
# The variable comes before the key file, as everywhere; the bucket of the state is read with it too
cloud-%: export GOOGLE_APPLICATION_CREDENTIALS := $(or $(GOOGLE_APPLICATION_CREDENTIALS),$(wildcard \
	$(HOME)/.google/credentials/google_credentials_project.json))
cloud-%: export TF_VAR_credentials_file :=

.PHONY: cloud-backend cloud-init cloud-plan cloud-plan-offline cloud-apply cloud-destroy cloud-env cloud-deploy cloud-costs
cloud-backend: # Keep Terraform's state in the bucket of ENVIRONMENT
	@test -n "$(ENVIRONMENT)" || { echo "no environment given: make cloud-backend ENVIRONMENT=dev" >&2; exit 1; }
	test -f terraform/environments/$(ENVIRONMENT).gcs.tfbackend || {
		echo "terraform/environments/$(ENVIRONMENT).gcs.tfbackend is missing: write it like dev's" >&2
		exit 1
	}
	{ printf 'terraform {\n  backend "gcs" {\n'; sed 's/^/    /' terraform/environments/$(ENVIRONMENT).gcs.tfbackend
		printf '  }\n}\n'; } > $(TFBACKEND)
cloud-init: tools $(if $(ENVIRONMENT),cloud-backend)
	if [ -z "$(ENVIRONMENT)" ]; then
		[ ! -e $(TFBACKEND) ] || {
			echo "$(TFBACKEND) stores the state in a bucket: set ENVIRONMENT=…, or delete the file" >&2
			exit 1
		}
		$(TERRAFORM) init -input=false
		exit
	fi
	[ ! -s terraform/terraform.tfstate ] || {
		echo "terraform/terraform.tfstate has state that the bucket does not have. To move it there:" \
			"$(TERRAFORM) init -migrate-state; or move the file away" >&2
		exit 1
	}
	[ ! -e terraform/terraform.tfvars ] || {
		echo "terraform/terraform.tfvars would be read too: move its values to" \
			"terraform/environments/$(ENVIRONMENT).tfvars and delete it" >&2
		exit 1
	}
	$(TERRAFORM) init -input=false -reconfigure
cloud-plan: cloud-init ## Show what would change on Google Cloud; ENVIRONMENT=dev, prod: with the state in a bucket
	$(TERRAFORM) plan $(TFVARS) -out=$(TFPLAN)
# -state: neither reads nor locks the state of what is there
cloud-plan-offline: .venvs/terraform/.synced # Show a plan of every optional part, without an account or a network
	$(TERRAFORM_OFFLINE) plan -input=false -state=tests/none.tfstate -var-file=tests/every_switch.tfvars $(if $(OUT),-out=$(OUT))
cloud-apply: ## Change what the last cloud-plan showed
	@test -f terraform/$(TFPLAN) || { echo "no plan: make cloud-plan$(addprefix  ENVIRONMENT=,$(ENVIRONMENT))" >&2; exit 1; }
	make cloud-init # by its name: a recursive make would run this recipe in a dry run, too
	trap 'rm -f terraform/$(TFPLAN)' EXIT # a plan that failed in the middle is stale
	$(TERRAFORM) apply -input=false $(TFPLAN)
cloud-destroy: cloud-init ## Delete what Terraform made, after a yes
	$(TERRAFORM) destroy $(TFVARS)
cloud-env: cloud-init .venv/.synced ## Write .env from what Terraform made; asks before it replaces one
	$(TERRAFORM) output -json env_vars | $(PYTHON) terraform/write_env.py .env
cloud-deploy: cloud-init .venv/.synced ## Bring the code to Google Cloud; DRY_RUN=1 only says what it would do
	$(TERRAFORM) output -json | $(PYTHON) -m csat.cloud.deploy $(if $(DRY_RUN),--dry-run)
cloud-costs: .venv/.synced # Estimate what a month costs at several volumes
	$(PYTHON) -m csat.cloud.costs

## Set up

.PHONY: tools setup jars jars-spark-4-0 class-archive
tools:
	@tools/bootstrap $(NEEDS)

setup: $(ENVIRONMENTS) $(FOR_CHECKS) jars class-archive ## Create the Python environments and fetch the jars

jars: .venv/.synced
	$(PYTHON) -m csat.local.jars
jars-spark-4-0: jars .venvs/spark40/.synced
	.venvs/spark40/bin/python -m csat.local.jars
class-archive: $(ENVIRONMENTS) jars
	$(PYTHON) -m csat.local.class_archive

define sync
	uv venv --quiet --allow-existing --python "$(PYTHON_3_13)" $(@D)
	uv pip sync --quiet --python $(@D) --require-hashes $<
	uv pip install --quiet --python $(@D) --no-deps --no-build-isolation --editable .
	touch $@
endef

.venv/.synced: locks/dev.txt | tools
	$(sync)
# After .venv, whose pyspark brings Ivy: the jars are downloaded while these are created
.venvs/%/.synced: locks/%.txt | tools .venv/.synced
	$(sync)

## Check it

# Two workers, the longest tests first. tests/conftest.py says what stays together. A make that a test calls is no job of
# this one.
SIDE_BY_SIDE := --numprocesses 2 --dist loadscope --no-loadscope-reorder

.PHONY: test test-rest check test-unit test-dags test-terraform test-integration test-e2e test-containers test-long
test: lint test-dags test-rest ## Lint and run every test, but for those of test-long and test-containers
# The whole platforms of the first tests wait more than they compute: lint ends beside them
test-rest: setup jars-spark-4-0 # Run all tests but those of the DAGs
	MAKEFLAGS= $(BIN)/pytest $(SIDE_BY_SIDE) tests/e2e tests/integration tests/terraform tests/chaos tests/unit
check: lint test-unit ## Lint and run the unit tests: the quick round before a commit

test-unit: .venv/.synced .venvs/sqlcheck/.synced # Run the tests that need nothing running
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit
test-dags: .venv/.synced .venvs/airflow/.synced .venvs/emulator/.synced .venvs/postgres/.synced jars # Run the tests of the DAGs in Airflow's environment
	.venvs/airflow/bin/python -m pytest tests/dags
test-terraform: .venv/.synced .venvs/terraform/.synced # Run the tests of the cloud's resources, without a cloud
	$(BIN)/pytest tests/terraform
test-integration: setup jars-spark-4-0 # Run the tests against the real broker, Spark, emulator and dbt
	$(BIN)/pytest tests/integration
test-e2e: setup # Run the tests of the whole stack
	$(BIN)/pytest tests/e2e
test-containers: .venv/.synced # Build the images and run docker-compose.yaml on the Docker Engine that DOCKER_HOST names
	$(BIN)/pytest --capture=no tests/containers

LONG_guard := $(BIN)/pytest tests/guard # Every way to lose the stream, with the real Airflow: a quarter of an hour
LONG_marts := $(BIN)/pytest -m long tests/integration/marts # 50 random histories, 30 days recounted, a kill after every model, rare builds
LONG_stream := $(BIN)/pytest -m long tests/integration/stream # Two executor processes, of which one is killed and one suspended; rare faults of topics and checkpoints
LONG_spark-4-0 := DRIVER_PYTHON=.venvs/spark40/bin/python $(BIN)/pytest tests/integration/stream # All tests of the stream with drivers of Spark 4.0
LONG_dbt-next := $(BIN)/pytest -m dbt_next tests/integration/marts # The dbt project on the version after ours
NEEDED_spark-4-0 := jars-spark-4-0
NEEDED_dbt-next := .venvs/dbt-next/.synced
define long_tests
@awk '/^LONG_.* # / { sub(/^LONG_/, ""); text = $$0; sub(/.* # /, "", text); printf "  %-10s %s\n", $$1, text }' $(MAKEFILE_LIST)
[ -z "$(NAME)" ] || { echo "no long tests have the name $(NAME), fix: use one of these" >&2; exit 1; }
endef
test-long: $(if $(LONG_$(NAME)),setup $(NEEDED_$(NAME))) ## Run the long tests NAME=…; no NAME: list them
	$(or $(LONG_$(NAME)),$(long_tests))

.PHONY: lint lint-checkov lint-python lint-imports lint-dbt lint-sql lint-terraform lint-containers lint-shell lint-generated lint-words
lint: lint-python lint-imports lint-generated lint-words lint-dbt lint-sql lint-terraform lint-containers lint-shell ## Check style, types and contracts; changes nothing

lint-python: .venv/.synced # Python: format, rules and types
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary $(CHECKED)
lint-imports: .venv/.synced # Which part may import which
	$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
lint-dbt: .venv/.synced .venvs/sqlcheck/.checked # The style of dbt's SQL, and the rules of the project
	$(BIN)/sqlfluff lint --disable-progress-bar dbt/models csat
	$(BIN)/dbt-bouncer --config-file dbt/dbt-bouncer.yml > .venv/dbt-bouncer.log 2>&1 || { cat .venv/dbt-bouncer.log; exit 1; }
lint-sql: .venvs/sqlcheck/.checked # Every statement that dbt would send and every query of csat, read by Google's own analyser
.venvs/sqlcheck/.checked: $(SQL_SOURCES) | .venv/.synced .venvs/sqlcheck/.synced
	CSAT_TOUCHED_DATES='["2026-01-05", "2026-01-06"]' CSAT_AS_OF=2026-01-08 \
		$(PYTHON) -m tools.sqlcheck.record .venvs/sqlcheck/rebuild.json
	CSAT_TOUCHED_DATES='["2026-01-05", "2026-01-06"]' CSAT_AS_OF=2026-01-08 \
		CSAT_NEW_SINCE=2026-01-06T09:00:00+00:00 CSAT_NEW_UNTIL=2026-01-06T10:00:00+00:00 \
		$(PYTHON) -m tools.sqlcheck.record .venvs/sqlcheck/recording.json
	$(PYTHON) -m tools.sqlcheck.record_queries .venvs/sqlcheck/dbt .venvs/sqlcheck/queries.json
	.venvs/sqlcheck/bin/python -m tools.sqlcheck .venvs/sqlcheck/rebuild.json
	.venvs/sqlcheck/bin/python -m tools.sqlcheck .venvs/sqlcheck/recording.json .venvs/sqlcheck/queries.json
	touch $@
lint-terraform: .venvs/terraform/.synced # Terraform: format and shape (the provider is a stub)
	$(TERRAFORM_OFFLINE) fmt -check -recursive
	$(TERRAFORM_OFFLINE) validate > .venvs/terraform/validate.log || { cat .venvs/terraform/validate.log; exit 1; }
lint-checkov: .venvs/checkov/.synced # Terraform: policies, by checkov in an environment of its own
	.venvs/checkov/bin/checkov --directory terraform --framework terraform --skip-download --compact --quiet
# The wrapper in .venv/bin forgets the exit code
lint-containers: .venv/.synced # The containers: Dockerfile, and the compose file for both targets with every profile
	$(BIN)/hadolint docker/Dockerfile
	for target in local gcp; do
		CSAT_TARGET=$$target CSAT_PROJECT_ID=project CSAT_STAGING_URI=gs://bucket \
			.venv/lib/python3.13/site-packages/compose/docker-compose --env-file /dev/null --profile '*' config --quiet
	done
lint-shell: .venv/.synced # The shell scripts
	$(BIN)/shellcheck tools/bootstrap .ci/run
lint-generated: .venv/.synced .venv/dbt/manifest.json # The files that are made from code
	$(PYTHON) -m tools.generate --check

## Measure it

FAULTS ?= 23
SEED ?= 1
.PHONY: chaos soak bench
chaos: setup ## Attack a stack of its own with FAULTS=n random faults of SEED=s; prints what was lost and when it was back
	$(PYTHON) -m tests.chaos.run --faults $(FAULTS) --seed $(SEED)
BENCH_OPTIONS = $(if $(EVENTS),--events $(EVENTS)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(MINUTES),--minutes $(MINUTES)) \
	$(if $(RATE),--rate $(RATE))
bench: $(if $(NAME),setup,.venv/.synced) $(if $(filter stream,$(NAME)),.venvs/bench/.synced) ## Run the benchmark NAME=…; no NAME: list them
	@$(PYTHON) -m tools.bench.run $(NAME) $(BENCH_OPTIONS)
soak: setup # Load a stack of its own for MINUTES=n at RATE=n events a second; fails where the stream grows or loses anything
	$(PYTHON) -m tools.bench.run soak $(BENCH_OPTIONS)
lint-words: .venv/.synced # Check the spelling, and that no retired word of tools/retired_words.txt is back
	git ls-files -z --cached --others --exclude-standard | xargs -0 $(BIN)/codespell $(DICTIONARIES)

## Change it

.venv/dbt/manifest.json: $(filter dbt/%,$(SQL_SOURCES)) | .venv/.synced
	$(BIN)/dbt --quiet parse --project-dir dbt --profiles-dir dbt --target-path $(abspath $(@D)) --log-path $(abspath $(@D))

.PHONY: format generated locks lock-jars lock-jars-dataproc screenshots
format: .venv/.synced ## Format Python, dbt's SQL and Terraform, and fix what can be fixed
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/sqlfluff fix --disable-progress-bar dbt/models csat
	terraform fmt -recursive terraform

generated: .venv/.synced .venv/dbt/manifest.json ## Write the files that are made from code
	$(PYTHON) -m tools.generate

lock-jars: .venv/.synced .venvs/spark40/.synced # Write down the sums of the stack's jars, after their versions in csat/local/jars.py changed
	$(PYTHON) -m csat.local.jars --pin kafka spark
	.venvs/spark40/bin/python -m csat.local.jars --pin spark
lock-jars-dataproc: .venv/.synced # Download the jars of a batch on Google Cloud and write down their sums
	$(PYTHON) -m csat.local.jars --pin dataproc

screenshots: setup # Take the documents' pictures of the dashboard, on a stack of its own
	$(PYTHON) -m tests.screenshots docs/pictures

COMPILE := uv pip compile pyproject.toml --quiet --python-version 3.13 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header $(if $(UPGRADE),--upgrade)
locks: tools # Resolve the dependency groups into locks/; keeps the pins there are unless UPGRADE=1
	$(COMPILE) --group pipeline --group spark --group dev --output-file locks/dev.txt
	$(COMPILE) --group pipeline --constraint locks/dev.txt --output-file locks/pipeline.txt
	$(COMPILE) --group spark --constraint locks/dev.txt --output-file locks/spark.txt
	$(COMPILE:3.13=3.12) --python-platform x86_64-manylinux_2_28 --group stream --constraint locks/dev.txt \
		--output-file locks/stream.txt
	$(COMPILE) --group airflow --override locks/airflow.overrides --output-file locks/airflow.txt
	$(COMPILE) --group postgres --output-file locks/postgres.txt
	$(COMPILE) --group emulator --output-file locks/emulator.txt
	$(COMPILE) --group sqlcheck --output-file locks/sqlcheck.txt
	$(COMPILE) --group dbt-next --output-file locks/dbt-next.txt
	$(COMPILE) --group bench --output-file locks/bench.txt
	$(COMPILE) --group spark40 --output-file locks/spark40.txt
	$(COMPILE) --group terraform --output-file locks/terraform.txt
	$(COMPILE) --group checkov --output-file locks/checkov.txt
	$(COMPILE:pyproject.toml=) --group bootstrap --output-file locks/bootstrap.txt # without csat itself
