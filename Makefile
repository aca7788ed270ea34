# On a fresh checkout every target needs only make, bash and Python 3.11 to 3.13; e2e also needs apt.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEBIAN_BIN := $(CURDIR)/.cache/debian/usr/bin
UV_VERSION := 0.13.9
WORKERS ?= 3
TIMEOUT ?= 1800
BROKEN := crash recovery api database replicas planted hostile canaries
PROOFS := contract rollback useful rules guards situations facts runbook empty storm pause audit kill deluge $(BROKEN)
# The lines that have to come; of tests that somebody chose, any.
EXPECTED ?= $(if $(ARGS),[a-z]*,$(PROOFS))

.PHONY: help
help: ## print this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

.PHONY: venv
venv: $(READY) ## make .venv from the locked dependencies (PYTHON=... chooses the interpreter)

$(READY): pyproject.toml requirements-dev.lock
	@set -eu; \
	if ! [ -x $(BIN)/python ]; then \
	  chosen=""; \
	  for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	    if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	    then chosen=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$chosen" ]; then \
	    echo "remediator needs Python 3.11, 3.12 or 3.13; tried: $(or $(PYTHON),python3 python3.13 python3.12 python3.11)." >&2; \
	    echo "Name another one: make $(or $(MAKECMDGOALS),venv) PYTHON=/path/to/python3.12" >&2; exit 1; \
	  fi; \
	  if ! "$$chosen" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$chosen cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; \
	  fi; \
	  echo "== $(VENV) with $$("$$chosen" --version): once, about half a minute"; \
	  "$$chosen" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; \
	fi
	@echo "== installing requirements-dev.lock, every file checked by its hash"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@echo "== installing remediator itself, editable"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.PHONY: demo
demo: $(READY) ## a bad release, seen, rolled back and verified on this machine (KEEP=1 leaves it running)
	@$(BIN)/remediator demo $(if $(KEEP),--keep)

.PHONY: test
test: $(READY) ## all tests but e2e and proofs (WORKERS=3, ARGS=...)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: format
format: $(READY) ## rewrite the code in the house format
	@$(BIN)/ruff check --fix-only -q && $(BIN)/ruff format

.PHONY: lint
lint: $(READY) ## format, lint, types and import rules, without running tests
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: check
check: lint test ## lint, then test: what a change must pass

.PHONY: proofs
proofs: $(READY) ## measure every promise; prints its `proof NAME: ...` lines, fails if one falls short
	@mkdir -p .cache; set -o pipefail; \
	PYTHONUNBUFFERED=1 $(BIN)/python -m pytest -m proof -q -n 2 --dist worksteal --color=no --timeout $(TIMEOUT) $(ARGS) 2>&1 \
	  | tee .cache/proofs.log | sed -un 's/^[.sxXFE]*\(proof .*\)/\1/p' \
	|| { cat .cache/proofs.log >&2; echo "make proofs: a promise is not kept (the whole output is above)" >&2; exit 1; }
	@set -f; for name in $(EXPECTED); do grep -q "proof $$name: " .cache/proofs.log \
	  || { echo "make proofs: no line of proof $$name (all there was is in .cache/proofs.log)" >&2; exit 1; }; done

.PHONY: chaos
chaos: $(READY) ## the proofs under faults at full size, about an hour; prints the seed of whatever they find
	@REMEDIATOR_CHAOS=full $(MAKE) proofs TIMEOUT=7200 $(if $(ARGS),,EXPECTED="$(BROKEN)") \
	  ARGS="tests/chaos tests/hostile $(ARGS)"

.PHONY: e2e
e2e: $(READY) ## the whole way, with the real Prometheus and Alertmanager, and looks into PostgreSQL 15
	@tests/e2e/fetch-debian-binaries
	@PATH="$$PATH:$(DEBIAN_BIN)" $(BIN)/python -m pytest -m e2e --timeout 600 $(ARGS)

.PHONY: cluster-test
cluster-test: $(READY) ## the `cluster` stories against the cluster that KUBECONFIG names
	@if [ -z "$${KUBECONFIG:-}" ]; then \
	  echo "cluster-test skipped: KUBECONFIG is unset, so there is no cluster to run the stories on."; \
	else \
	  REMEDIATOR_TEST_KUBECONFIG="$$KUBECONFIG" $(BIN)/python -m pytest -m cluster --timeout 600 $(ARGS); \
	fi

.PHONY: bench
bench: $(READY) ## performance figures of this machine
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: lock
lock: $(READY) ## write the lock files anew from pyproject.toml (UPGRADE=1 takes the newest versions)
	@[ -x .cache/uv/bin/uv ] || { $(BIN)/python -m venv .cache/uv && .cache/uv/bin/pip install -q uv==$(UV_VERSION); }
	@set -eu; compile=".cache/uv/bin/uv pip compile -q --universal --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)"; \
	$$compile pyproject.toml -o requirements.lock; \
	$$compile --group build -o requirements-build.lock; \
	$$compile pyproject.toml --extra demo --group dev -c requirements.lock -c requirements-build.lock \
	  -o requirements-dev.lock

.PHONY: sbom
sbom: $(READY) ## the image's bill of materials as CycloneDX JSON, from the lock (FILE=remediator.cdx.json)
	@$(BIN)/python -m supply.sbom > $(or $(FILE),remediator.cdx.json) && echo "$(or $(FILE),remediator.cdx.json)"

.PHONY: licences
licences: $(READY) ## write docs/licences.md anew; an unknown licence fails
	@$(BIN)/python -m supply.licences > docs/licences.md

.PHONY: advisories
advisories: $(READY) ## known vulnerabilities in the lock, offline (FILE=all.zip, OSV advisories of PyPI)
	@[ -n "$(FILE)" ] || { echo "say where the advisories are: make advisories FILE=all.zip" >&2; exit 2; }
	@$(BIN)/python -m supply.advisories $(FILE)

.PHONY: clean
clean: ## remove everything that make has made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -prune -exec rm -rf {} +
