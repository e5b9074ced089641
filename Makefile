# Needs Python 3.11 or newer (PYTHON=python3.12 names another), make, and a package registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Made anew when pyproject.toml changes; a second `make run` finds it and starts at once.
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help run test check format generate bench clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(INSTALLED)  ## Serve on http://localhost:8080, with the store in ./data
	@exec $(BIN)/chat-gateway serve

test: $(INSTALLED_DEV)  ## Run all tests
	$(BIN)/python -m pytest

check: $(INSTALLED_DEV)  ## Lint, types, direction of imports, drift of generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate --check

format: $(INSTALLED_DEV)  ## Format the source
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(INSTALLED_DEV)  ## Write anew what is made from the schemas and the guides
	$(BIN)/python -m tools.generate

bench: $(INSTALLED_DEV)  ## Measure, and print the figures
	$(BIN)/python -m bench

clean:  ## Remove the virtual environment and caches; ./data stays
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tests/clients/node_modules bench/peers/node/node_modules
	find protocol service tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
