# demo test check bench: everything a person needs, on a fresh machine with Python ≥ 3.11 and a package registry.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check bench samples clean

demo: $(INSTALLED) ## index the samples, then queries that show every kind of hit
	@BIN=$(BIN) bash samples/demo.sh

test: $(INSTALLED) ## the whole default test suite
	$(BIN)/pytest -n 2

check: $(INSTALLED) ## style, types and the layers of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED) ## speed and memory, as ratios to a floor measured in the same run
	$(BIN)/python -m tests.bench

samples: $(INSTALLED) ## makes samples/ again (needs the tools named in samples/README.md)
	$(BIN)/python -m samples.make

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean: ## forget the virtual environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
