# Everything runs in .venv, made on first use. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint soak bench bench-quick bench-setup clean

# The environment is made anew when what it is made from changes.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("ngatu needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/ready
	$(BIN)/ngatu demo

# Half of the tests wait for servers and browsers: three at a time, those of one file in one process.
test: lint
	$(BIN)/pytest --numprocesses 3 --dist loadfile

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Runs of many minutes that show what months would: everything in benchmarks/soak/.
soak: $(VENV)/ready
	for script in benchmarks/soak/[a-z]*.py; do echo "== $$script"; $(BIN)/python -m $$(echo $${script%.py} | tr / .) || exit 1; done

# How accurate and how fast, beside what people would use instead: tables, out/bench.json, out/bench.html.
bench: $(VENV)/ready
	$(BIN)/python -m benchmarks.bench $(ARGS)

bench-quick: $(VENV)/ready
	$(BIN)/python -m benchmarks.bench --quick $(ARGS)

# The peers, once, each into an environment of its own under .bench/; gigabytes.
bench-setup: $(VENV)/ready
	$(BIN)/python -m benchmarks.environments

clean:
	rm -rf $(VENV) ngatu-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
