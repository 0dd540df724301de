# Each target alone does all the set-up it needs: a virtual environment in .venv with the project installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# The lowest versions may not be there for the newest Python.
LOWEST_PYTHON ?= python3.11
LOWEST := .venv-lowest

.PHONY: demo test test-lowest lint bench package format clean

demo: $(READY)
	$(BIN)/nasbench-lab run --table digits/topology --table digits/chain \
	    --strategy random-search --strategy regularized-evolution --strategy local-search \
	    --runs 1000 --evaluations 300 --out results/demo --overwrite

test: $(READY) lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# Old releases of packages warn about newer ones of what they need: only here, that is no error.
test-lowest: $(LOWEST)/ready
	$(LOWEST)/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
	    -W default::DeprecationWarning -W default::PendingDeprecationWarning

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-group-by=group \
	    --benchmark-columns=min,median,rounds --benchmark-sort=name

# Not among the tests' dependencies: twine needs a newer rich than the package does.
package: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'twine>=7'
	$(BIN)/python tools/check_package.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nasbench-lab needs Python >= 3.11, not " + sys.version.split()[0] + "; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[graph,test]'
	@touch $@

$(LOWEST)/ready: pyproject.toml tools/lowest_versions.py
	$(LOWEST_PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST_PYTHON) tools/lowest_versions.py > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(LOWEST)/lowest.txt --editable .
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
