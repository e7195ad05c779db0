# Everything is set up in .venv on first use; `make demo` and `make test` need only Python, make and a package index.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHONS ?= python3.10 python3.11 python3.12 python3.13

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test docs bench mutants format lock clean

help:
	@echo "make demo    scan the example stack in examples/demo"
	@echo "make test    lint, types and tests"
	@echo "make docs    write the pages that are made from the code"
	@echo "make bench   what judging costs, and what a scan of TREE=... costs beside the others"
	@echo "make mutants whether the fixtures catch every small change of the policies"
	@echo "make format  let ruff format and mend the code"
	@echo "make lock    resolve the dependencies again (needs Python 3.10 to 3.13)"
	@echo "make clean   remove .venv and caches"

# The first interpreter that the package supports and that can make a virtual environment.
$(INSTALLED): pyproject.toml requirements.lock
	@for python in $(PYTHON) python3 python python3.13 python3.12 python3.11 python3.10; do \
	  if $$python -c 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	    echo "setting up $(VENV) with $$($$python --version)"; \
	    $$python -m venv --clear $(VENV) || exit 1; \
	    break; \
	  fi; \
	done; \
	test -x $(BIN)/python || { echo "needs Python 3.10 to 3.13 with the venv module; name one with PYTHON=..." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[dev]'
	@touch $@

# The scan finds gaps; that is the point of the demo and no failure of it.
demo: $(INSTALLED)
	@$(BIN)/srm-checks scan examples/demo --exit-zero

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n auto

docs: $(INSTALLED)
	$(BIN)/python tools/docs.py

bench: $(INSTALLED)
	$(BIN)/python benchmarks/evaluation.py --pack aws-all
	$(BIN)/python benchmarks/rivals.py $(or $(TREE),examples/demo)

mutants: $(INSTALLED)
	$(BIN)/python -m tools.mutants

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	@set -e; for python in $(PYTHONS); do $$python --version; done; \
	set -- $(PYTHONS); $$1 tools/lock.py $(PYTHONS)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
