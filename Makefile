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

# Builds the wheel, installs it away from the sources (its dependencies are lent by .venv), lists the
# data files that a user would get and runs the installed program.
WHEEL := build/wheel
SITE_OF := import sysconfig; print(sysconfig.get_path("purelib"))
wheel: $(STAMP)
	rm -rf $(WHEEL) && mkdir -p $(WHEEL)
	$(BIN)/python -m build --wheel --outdir $(WHEEL) .
	$(PYTHON) -m venv $(WHEEL)/venv
	$(WHEEL)/venv/bin/pip install -q --no-deps --no-compile $(WHEEL)/*.whl
	$(BIN)/python -c '$(SITE_OF)' > "$$($(WHEEL)/venv/bin/python -c '$(SITE_OF)')/lent.pth"
	cd $(WHEEL)/venv/lib/python*/site-packages && find fairaudit -type f ! -name '*.py' ! -name '*.pyc' | sort
	cd $(WHEEL) && venv/bin/fairaudit --version && venv/bin/fairaudit suites list
	cd $(WHEEL) && venv/bin/python -c 'import fairaudit; assert "$(WHEEL)" in fairaudit.__file__'

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e ".[test,dev]"
	touch $(STAMP)

clean:
	rm -rf .venv build demo
