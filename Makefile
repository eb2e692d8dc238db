# make run    set up .venv, measure this machine, run configs/quick.toml, write results/
# make test   set up .venv, then lint, types and the test suite
# make help   every target

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PEERS  := $(VENV)/.libraries

# pip options for the libraries. Torch without its CUDA parts, a tenth of the size:
# make install-libraries LIBRARY_OPTIONS='--extra-index-url https://download.pytorch.org/whl/cpu'
LIBRARY_OPTIONS ?=

.PHONY: help install install-libraries run docs lint test test-long clean
.DEFAULT_GOAL := help

help:
	@grep -E '^# make' Makefile | sed 's/^# //'
	@echo "make install    only the set-up: .venv with pinned wheels"
	@echo "make install-libraries  also torch, onnxruntime and scipy, to compare with"
	@echo "make docs       the generated pages and pictures of docs/ once more"
	@echo "make lint       ruff and mypy --strict"
	@echo "make test-long  what takes longer: every variant at every ISA level, long fuzzing, the built wheel"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kernelbench needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

install-libraries: $(PEERS)

$(PEERS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt $(LIBRARY_OPTIONS) --editable '.[dev,libraries]'
	@touch $@

run: install
	$(BIN)/kernelbench run configs/quick.toml

docs: install
	$(BIN)/python docs/make

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-long: install
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
