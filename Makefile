# `make demo` and `make test`: each alone, on a fresh clone, creates .venv, installs and runs.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test test-all lint wheel clean

demo: $(STAMP)
	$(BIN)/fairaudit demo --output demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow"

test-all: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadscope

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Builds the wheel, installs it away from the sources (its dependencies are lent by .venv) and runs
# the recipe of README with it.
WHEEL := build/wheel
wheel: $(STAMP)
	rm -rf $(WHEEL) && mkdir -p $(WHEEL)
	$(BIN)/python -m build --wheel --outdir $(WHEEL) .
	FAIRAUDIT_WHEEL=$(WHEEL) $(BIN)/python -m pytest -q tests/test_wheel.py

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv: torch first, then the rest. This takes a few minutes."
	$(BIN)/pip install -c constraints.txt torch
	$(BIN)/pip install -c constraints.txt -e ".[test,dev]"
	touch $(STAMP)

clean:
	rm -rf .venv build demo
