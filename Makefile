# The commands of the README. Each does its own set-up; nothing has to be prepared by hand.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ONLY   ?=
# One more than there are cores: some tests wait for clocks and networks, and others run meanwhile.
JOBS   ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

.PHONY: setup demo test run lint bench lock clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml .ci/prepare
	@.ci/prepare "$(PYTHON)" "$(VENV)"

demo: setup
	@$(BIN)/counterfoil demo --out demo-out

run: setup
	@$(BIN)/counterfoil serve --demo-data

# Compiled modules are kept, whatever the environment says: each of the processes that tests start
# would else compile them all again.
test: setup
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@$(BIN)/python -m benchmarks $(ONLY)

# Writes requirements.lock anew, without index addresses. Needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --extra dev --quiet pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) demo-out bench-out test-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
