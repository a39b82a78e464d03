# `make` shows what there is. Everything happens in .venv; nothing else is asked for than Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up demo test check format docs pictures bench chaos clean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/.use  ## Start everything: http://127.0.0.1:48080 (ARGS="--port 8000").
	@exec $(BIN)/skytrail up $(ARGS)

demo: $(VENV)/.use  ## Run the main example from start to end, in a folder of its own.
	@exec $(BIN)/skytrail demo $(ARGS)

test: $(VENV)/.develop  ## All tests, on PostgreSQL and Redis that they bring along.
	$(BIN)/python -m pytest -n auto --maxprocesses=4 --dist loadfile $(ARGS)

check: $(VENV)/.develop  ## Lint, types, structure and the quick tests (up to two minutes).
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -n 2 tests/house tests/domain

format: $(VENV)/.develop  ## Put the code into its usual form.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.develop  ## Make the documents anew that are made from code.
	$(BIN)/python -m tests.house.generated

pictures: $(VENV)/.develop  ## Make the pictures of all pages anew, for docs/ui.md.
	$(BIN)/python -m tests.house.pictures

bench: $(VENV)/.develop  ## Measure Skytrail beside bare Celery (ARGS="--rounds 3").
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.develop  ## Kill, halt and starve the real processes; count what is lost (ARGS="--short").
	$(BIN)/python -m chaos $(ARGS)

clean:  ## Remove the environment and the caches; .skytrail/ stays.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# -- the environment: what using needs, and what developing needs beside it

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Skytrail needs Python 3.11 or later; name one: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv is missing (on Debian: apt install python3-venv)"; exit 1; }

$(VENV)/.use: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Skytrail into $(VENV) (once) …"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.develop: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Skytrail and its development tools into $(VENV) (once) …"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.use
