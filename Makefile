# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := dev,docs,cluster,ocr,pacs,postgres,s3

.PHONY: help install demo test test-all check reference docs bench claims clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/'

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$(EXTRAS)]"
	touch $@

install: $(VENV)/installed  ## make the environment

demo: install  ## write a small cohort with a known truth and run a study on it
	$(BIN)/prognoscope demo

test: install  ## the tests that need nothing but pip, under 10 minutes
	$(BIN)/python -m pytest -m "not slow and not system" $(PYTEST_OPTIONS)

test-all: test  ## and the longer ones; what needs a Debian package or the real data skips with the reason where absent
	$(BIN)/python -m pytest -m "slow or system" $(PYTEST_OPTIONS)

check: install  ## style, types, structure
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" lint-imports --no-logo --no-cache

reference: install  ## write the generated pages of the docs again
	$(BIN)/python docs/generate.py

docs: install  ## the documentation, warnings are errors
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build

bench: install  ## the measurements behind the figures in the docs
	@for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

claims: install  ## run the commands of docs/claims.md again
	$(BIN)/python benchmarks/claims.py

clean:  ## remove what make made
	rm -rf $(VENV) docs/_build build dist
