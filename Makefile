# The menu of everything one does with a checkout. `make` alone prints it.

PYTHON := .venv/bin/python
PGDUET := .venv/bin/pgduet
ROOMS := plpython/pgduet sidecar/pgduet migrations/pgduet sql/pgduet
CODE := $(ROOMS) tests docs/site_files.py $(wildcard benchmarks/*.py) benchmarks/shared benchmarks/search
# pgspot cannot see that the installer makes the schema and pins the search path first, hence the preludes. The files of
# sql/ pin it themselves. The first revision has a function body of a kind that pgspot cannot read.
REVISIONS := $(filter-out %/0001_schema.sql,$(wildcard migrations/pgduet/migrations/versions/*.sql))
PRELUDE := CREATE SCHEMA pgduet;
PINNED := SET search_path TO pg_catalog, pg_temp;

.DEFAULT_GOAL := help
.PHONY: help setup demo stop test test-all test-containers images compose-check sbom bench bench-search bench-serving
.PHONY: bench-finetune lint proto docs clean

help: ## Print this menu
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "make %-15s %s\n", $$1, $$2}'

setup: ## Install what is missing on Debian or Ubuntu, and make the environments (again: seconds)
	@deploy/setup.sh

demo: setup ## Start a private PostgreSQL, sidecar and worker under .pgduet/, fill it and search
	@$(PGDUET) demo up

stop: ## Stop what `make demo` started
	@if [ -x $(PGDUET) ]; then $(PGDUET) demo down; fi

# Two at a time: much of a test is waiting. Each process has a sidecar and a duet of its own, 3 GB. What measures time
# follows alone.
PARALLEL := -n 2 --dist loadfile

test: setup lint ## Check style and types, then run all tests but the slow ones
	$(PYTHON) -m pytest $(PARALLEL) -m "not slow and not alone and not containers"
	$(PYTHON) -m pytest -m "alone and not slow and not containers"

test-all: setup lint ## The same with the slow tests
	$(PYTHON) -m pytest $(PARALLEL) -m "not slow and not alone and not containers"
	$(PYTHON) -m pytest -m "(slow or alone) and not containers"

images: ## Build the container images of database and sidecar (needs a Docker engine; see docs/containers.md)
	deploy/containers/build.sh

compose-check: ## Bring the compose stack up, insert, search, take it down (needs `make images`)
	deploy/compose_check.sh

test-containers: setup images ## Test the images from outside, then run the tests inside, on the image's PostgreSQL
	$(PYTHON) -m pytest -m containers tests/containers
	deploy/containers/build.sh test
	deploy/containers/test.sh

sbom: setup ## Write the bill of materials of the wheel, dist/pgduet.cdx.json (CycloneDX)
	rm -rf dist && .venv/bin/hatchling build -t wheel -d dist
	$(PYTHON) deploy/sbom.py dist/*.whl constraints.txt >dist/pgduet.cdx.json

bench: setup ## Measure speed and quality on this machine
	@for file in $(filter-out benchmarks/gpu_%,$(wildcard benchmarks/*.py)); do echo "== $$file"; $(PYTHON) "$$file" || exit 1; done
	@$(MAKE) --no-print-directory bench-serving

bench-search: setup ## Compare searching with pgvector's own indexes, numpy and FAISS (LARGE=1: 200,000 chunks)
	$(PYTHON) benchmarks/search $(if $(LARGE),--large)

bench-serving: setup ## Compare the sidecar's speed with other servers of encoders (their environments: gigabytes)
	$(PYTHON) benchmarks/serving
	$(PYTHON) benchmarks/serving/number_types.py

bench-finetune: setup ## Tune `small` on installed packages and judge it on others and on CoSQA (half an hour)
	$(PYTHON) benchmarks/finetune

lint: ## Check style, types, import rules, the protocol and the SQL (needs `make setup`)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(CODE)
	.venv/bin/mypy benchmarks/finetune
	.venv/bin/mypy benchmarks/serving
	.venv/bin/lint-imports
	cd proto && ../.venv/bin/buf lint
	(echo "$(PRELUDE)"; cat sql/pgduet/sql/*.sql) | .venv/bin/pgspot --ignore-lang plpython3u \
		--proc-without-search-path 'pgduet._see_pgvector()'
	(echo "$(PRELUDE) $(PINNED)"; cat $(REVISIONS)) | .venv/bin/pgspot

proto: ## Generate the stubs again after a change of embedding.proto
	$(PYTHON) -m grpc_tools.protoc -I proto --python_out=proto --pyi_out=proto --grpc_python_out=proto \
		proto/pgduet/v1/embedding.proto

docs: setup ## Check every link of the documents and build the site, site/index.html
	$(PYTHON) -m pytest -q tests/unit/test_local_links.py
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet
	@echo "docs: open site/index.html; with the box for searching: .venv/bin/mkdocs serve"

clean: stop ## Remove the environments, the demo and all caches
	@case "$$(readlink .pgduet)" in /var/tmp/pgduet-*) rm -rf "$$(readlink .pgduet)";; esac
	rm -rf .pgduet .venv artefacts site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
