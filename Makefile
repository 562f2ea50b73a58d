# Everything is set up in .venv from requirements.lock; nothing else on the machine is touched but package caches.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test faults fuzz lint types imports check lock clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Lull needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo 'Setting up .venv; the first time this takes a minute or two.'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Ctrl-C is a good end for the demo, and no failure.
demo: setup
	@$(BIN)/lull demo || test $$? -eq 130

# A file's tests stay together: they share what takes long to set up.
test: setup
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# 20,000 requests made from the OpenAPI document; other numbers, seeds and databases: python -m tests.fuzz.run --help
fuzz: setup
	$(BIN)/python -m tests.fuzz.run

# Races and killed servers over HTTP at their full size; minutes instead of the small run that is part of `make test`.
faults: setup
	LULL_RACES=full $(BIN)/python -m pytest tests/races
	$(BIN)/python -m pytest tests/contracts/test_coupon_machine.py --hypothesis-profile=faults

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

check: test lint types imports

lock:
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -o requirements.lock

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
