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

# Builds the wheel, installs it away from the sources and lists what a user would get.
wheel: $(STAMP)
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --wheel --outdir build/wheel .
	$(PYTHON) -m venv --system-site-packages build/wheel/venv
	build/wheel/venv/bin/pip install -q --no-deps --no-compile build/wheel/*.whl
	cd build/wheel && venv/bin/python -m zipfile -l *.whl | grep -E '\.(j2|css|toml)|py\.typed'

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e ".[test,dev]"
	touch $(STAMP)

clean:
	rm -rf .venv build demo
