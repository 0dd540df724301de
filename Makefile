# Each target alone does all the set-up it needs: a virtual environment in .venv with the project installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Stamps: the package is installed; so is all that the tests need.
INSTALLED := $(VENV)/installed
READY := $(VENV)/ready
# The lowest versions may not be there for the newest Python.
LOWEST_PYTHON ?= python3.11
LOWEST := .venv-lowest
SITE := tools/website/mkdocs.yml

# The contracts that most changes could break, in under 90 seconds on two cores.
FAST := tests/project/test_house.py tests/project/test_names.py tests/project/test_changes.py tests/test_streams.py \
    tests/spaces/test_spaces.py tests/tables/test_table.py tests/tables/test_store.py tests/strategies/test_goldens.py \
    tests/strategies/test_lookup.py tests/strategies/test_registry.py tests/simulation/test_trace.py \
    tests/simulation/test_conditions.py tests/simulation/test_fidelities.py tests/suites/test_suite_spec.py \
    tests/analysis/test_analysis.py tests/report/test_layouts.py

.PHONY: check demo test suite test-lowest test-processors lint bench notebooks gallery site site-serve package format clean

demo: $(INSTALLED)
	@echo "Comparing three strategies with 1,000 seeds on two tables ..."
	$(BIN)/nasbench-lab run --table digits/topology --table digits/chain \
	    --strategy random-search --strategy regularized-evolution --strategy local-search \
	    --runs 1000 --evaluations 300 --out results/demo --overwrite
	@echo "The figure is results/demo/regret.png"

check: $(READY) lint
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile --no-loadscope-reorder $(FAST)

# At the same time: linters use one core, and tests need some time to be collected and to end.
test: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 lint suite

suite: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Old releases of packages warn about newer ones of what they need: only here, that is no error.
test-lowest: $(LOWEST)/ready
	$(LOWEST)/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder \
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

# Into the folder site, which can be read without a server. The first time, it draws its figures: about a minute.
site: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --config-file $(SITE)
	@echo "open site/index.html"

# On http://127.0.0.1:8000, built again after every change of a page.
site-serve: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --config-file $(SITE)

# Not among the tests' dependencies: twine needs a newer rich than the package does.
package: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'twine>=7'
	$(BIN)/python tools/check_package.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

comma := ,
# $(call install,REQUIREMENT,IN WORDS,HOW LONG IT TAKES)
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nasbench-lab needs Python >= 3.11, not " + sys.version.split()[0] + "; try: make PYTHON=python3.12 ...")'
	@echo "Installing nasbench-lab $(2) into $(VENV): $(3) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '$(1)'
endef

$(INSTALLED): pyproject.toml
	$(call install,.,with the packages that it needs,about a minute)
	@touch $@

$(READY): pyproject.toml
	$(call install,.[graph$(comma)test],with everything that the tests need,a few minutes)
	@touch $(INSTALLED) $@

$(LOWEST)/ready: pyproject.toml tools/lowest_versions.py
	$(LOWEST_PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST_PYTHON) tools/lowest_versions.py > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(LOWEST)/lowest.txt --editable .
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
