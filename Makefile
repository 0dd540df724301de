# Each target alone does all the set-up it needs: a virtual environment in .venv with the project installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test lint bench format clean

demo: $(READY)
	$(BIN)/nasbench-lab run --table digits/topology --table digits/chain \
	    --strategy random-search --strategy regularized-evolution --strategy local-search \
	    --runs 1000 --evaluations 300 --out results/demo --overwrite

test: $(READY) lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-group-by=group \
	    --benchmark-columns=min,median,rounds --benchmark-sort=name

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nasbench-lab needs Python >= 3.11, not " + sys.version.split()[0] + "; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[graph,test]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
