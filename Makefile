# Each target alone does all the set-up it needs: a virtual environment in .venv with the project installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# The lowest versions may not be there for the newest Python.
LOWEST_PYTHON ?= python3.11
LOWEST := .venv-lowest

# The contracts that most changes could break, in under 90 seconds on two cores.
FAST := tests/project/test_house.py tests/project/test_names.py tests/project/test_changes.py tests/test_streams.py \
    tests/spaces/test_spaces.py tests/tables/test_table.py tests/tables/test_store.py tests/strategies/test_goldens.py \
    tests/strategies/test_lookup.py tests/strategies/test_registry.py tests/simulation/test_trace.py \
    tests/simulation/test_conditions.py tests/simulation/test_fidelities.py tests/suites/test_suite_spec.py \
    tests/analysis/test_analysis.py tests/report/test_layouts.py

.PHONY: check demo test test-lowest test-processors lint bench notebooks gallery package format clean

demo: $(READY)
	$(BIN)/nasbench-lab run --table digits/topology --table digits/chain \
	    --strategy random-search --strategy regularized-evolution --strategy local-search \
	    --runs 1000 --evaluations 300 --out results/demo --overwrite

check: $(READY) lint
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile $(FAST)

test: $(READY) lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# Old releases of packages warn about newer ones of what they need: only here, that is no error.
test-lowest: $(LOWEST)/ready
	$(LOWEST)/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
	    -W default::DeprecationWarning -W default::PendingDeprecationWarning

# All settings that stand for other processors, about 15 minutes.
test-processors: $(READY)
	$(BIN)/python -m pytest --all-processors tests/strategies/test_processors.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-group-by=group \
	    --benchmark-columns=min,median,rounds --benchmark-sort=name

# After a change of the notebooks, or of what they show: stores their outputs.
notebooks: $(READY)
	$(BIN)/python tools/run_notebooks.py

# After a change of how figures look: draws the pictures of docs/figures.md again.
gallery: $(READY)
	$(BIN)/python tools/draw_gallery.py

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
