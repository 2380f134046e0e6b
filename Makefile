# Two commands for everybody: `make gate` and `make test`. Both work offline once they have run.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

.PHONY: gate test coverage lint demo docs lock bench-demo bench-decision bench-engine clean

gate: $(RUNTIME)  ## gate this repository's own prompt on its own golden sets
	$(VENV)/bin/gate check --all

demo: $(RUNTIME)  ## three candidate versions, three outcomes
	$(VENV)/bin/gate demo

test: $(DEV)  ## the whole test suite
	$(VENV)/bin/python -m pytest -n auto -m "not docker and not ray"
	$(VENV)/bin/python -m pytest -m docker
	$(VENV)/bin/python -m pytest -m ray

coverage: $(DEV)  ## every branch of the core, or fail
	$(VENV)/bin/python -m pytest tests/unit/core -n auto --cov=gate.core --cov-branch --cov-report=term:skip-covered --cov-fail-under=100

lint: $(DEV)  ## style, types, layers, workflows, container
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(VENV)/bin/zizmor --offline --no-progress --persona pedantic .
	$(VENV)/bin/hadolint Dockerfile

docs: $(DEV)  ## write the generated blocks of the documentation again
	$(VENV)/bin/python docs/generate.py

bench-demo: $(RUNTIME)  ## the demo's edits over many seeds: outcomes by class of edit
	$(VENV)/bin/python benchmarks/demo/run.py

bench-decision: $(DEV)  ## simulated pull requests with known truth: table, page and plot; QUICK=1 takes a minute
	$(VENV)/bin/python -m benchmarks.decision.run $(if $(QUICK),--quick)

bench-engine: $(DEV)  ## the engine beside a bare client: wall, processor, memory, start-up, calls; QUICK=1 takes a minute
	$(VENV)/bin/python -m benchmarks.engine.run $(if $(QUICK),--quick)

lock: $(DEV)  ## resolve the dependencies again
	./.ci/lock $(VENV)/bin

clean:
	rm -rf $(VENV) lockgate-out .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@sh .ci/check-python $(PYTHON)
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --require-hashes -r requirements-build.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
