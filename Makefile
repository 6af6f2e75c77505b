# The commands of this project: `make help` lists them. Every target sets up `.venv` first if needed.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PRESET ?=
DATA ?= synthetic
STUDY ?= full
# The user's values reach the recipes unchanged, through the environment: neither make nor a shell interprets them again.
export GIVEN_PRESET := $(value PRESET)
export GIVEN_DATA := $(value DATA)
export GIVEN_STUDY := $(value STUDY)

# The newest Python with TensorFlow wheels is 3.13. A command may exist without working (pyenv's shims), so each is tried.
# The system's own comes first: pyenv compiles without the optimisations that distributions use, and the tests then take
# a quarter longer.
SUITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
VERSIONS := python3.11 python3.12 python3.13
PYTHON ?= $(shell for name in $(VERSIONS:%=/usr/bin/%) $(VERSIONS) python3 python; do \
	$$name -c '$(SUITS)' 2>/dev/null && echo $$name && break; done)
UV := 0.13.9

BIN := $(CURDIR)/.venv/bin
READY := .venv/.ready
export PATH := $(BIN):$(PATH)
# The active virtual environment of the user's shell must not be used instead of ours.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH CONDA_PREFIX
# Without compiled modules TensorFlow takes three times as long to load, in every notebook.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup book share model study test coverage acceptance benchmark lab lint lock clean

help:  ## list all commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo
	@echo '  make book PRESET=smoke      the smallest study: to see that everything works'
	@echo '  make book DATA=<folder>     the study on your own images/ and masks/'

setup: $(READY)  ## make the environment in .venv (all other targets do this first)

$(READY): requirements.lock pyproject.toml Makefile
	@[ -n '$(PYTHON)' ] || { echo 'error: no Python 3.11, 3.12 or 3.13 with the module venv found; install one (Debian, Ubuntu: apt install python3-venv), or name it: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@'$(PYTHON)' -c '$(SUITS)' || { echo 'error: $(PYTHON) is not Python 3.11, 3.12 or 3.13 with the module venv; name one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@echo 'Setting up .venv with $(PYTHON): a minute or a few the first time …'
	@'$(BIN)/python' -c '$(SUITS)' 2>/dev/null || '$(PYTHON)' -m venv --clear .venv
	@# uv lives beside the environment, not in it: the sync below takes out whatever the lock does not name.
	@[ -x .venv/uv/$(UV)/bin/uv ] || '$(BIN)/python' -m pip install --quiet --target .venv/uv/$(UV) uv==$(UV)
	@.venv/uv/$(UV)/bin/uv pip sync --quiet --python '$(BIN)/python' --require-hashes requirements.lock
	@.venv/uv/$(UV)/bin/uv pip install --quiet --python '$(BIN)/python' --no-deps --no-build-isolation --editable .
	@touch $@

# Folders are relative to the current directory; several are joined by colons. Anything else is the name of a data set.
book: $(READY)  ## make the whole report: data, trainings, notebooks, book
	@IFS=: read -ra places <<< "$$GIVEN_DATA"; \
	for i in "$${!places[@]}"; do [ ! -d "$${places[i]}" ] || places[i]=$$(cd -- "$${places[i]}" && pwd -P); done; \
	data=$$(IFS=:; echo "$${places[*]}"); \
	python -m crack_utils.report.workflow book --config preset="$$GIVEN_PRESET" data="$$data"

share: book  ## make the report, and pack it as one zip file that opens without an internet connection
	@cd _build && rm -rf crack-segmentation* && cp -r html crack-segmentation && python -m zipfile -c crack-segmentation.zip crack-segmentation
	@rm -rf _build/crack-segmentation; echo '$(CURDIR)/_build/crack-segmentation.zip'

model: $(READY)  ## make the default model of `crack-utils predict default` again (an hour)
	@crack-utils model

study: $(READY)  ## train the full study behind Table 1 (first prints the expected time; continues where it stopped)
	@# The studies `photographs` and `thin_cracks` need a copy of CrackForest, and write their tables into results/.
	@case "$$GIVEN_STUDY" in photographs|thin_cracks) \
		python -m "crack_utils.study.$$GIVEN_STUDY"; exit;; esac; \
	python -m crack_utils.study cost "$$GIVEN_STUDY" && \
	python -m crack_utils.report.workflow study --keep-going --config study="$$GIVEN_STUDY"

# Measuring the coverage takes a third more time, so it has a target of its own.
FAST := pytest -n auto --dist loadfile --no-loadscope-reorder -m 'not acceptance'

test: $(READY)  ## run the fast tests
	@$(FAST)

coverage: $(READY)  ## run the fast tests, and list the lines that none of them runs (90 % must be covered)
	@$(FAST) --cov --cov-report=term-missing:skip-covered --cov-fail-under=90

acceptance: $(READY)  ## run the tests that take minutes
	@pytest -m acceptance -o faulthandler_timeout=3600

benchmark: $(READY)  ## measure speed against Keras' defaults, PyTorch and the machine (minutes; writes results/benchmark.csv)
	@python -m benchmarks && python -m benchmarks.answers

lab: $(READY)  ## open the notebooks in JupyterLab
	@jupyter lab

lint: $(READY)  ## check the style and format of code and notebooks
	@ruff check && ruff format --check

lock: $(READY)  ## update requirements.lock from pyproject.toml (UPGRADE=1: with the newest versions)
	@.venv/uv/$(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --group dev $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.lock

clean:  ## remove the book and its executed notebooks; data, trainings and .venv stay
	rm -rf _build artifacts/book artifacts/executed artifacts/logs .snakemake .pytest_cache .ruff_cache .coverage*
