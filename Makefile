# Doubtscope. `make` or `make help` lists the commands.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
CACHE ?= data/demo
PORT ?= 8501
FERPLUS ?=
BIN := .venv/bin
MODELS := --model compact-ensemble --model compact-dropout --model compact
PAPER := --model baseline --model uncnet --model uncnet-ensemble \
  --features facenet-casia-webface --features facenet-vggface2

.DEFAULT_GOAL := help
.PHONY: help setup demo app test lint bench ferplus paper train browser clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: .venv/installed  ## create .venv and install

data/demo/.built: .venv/installed engine/assets/probe.parquet engine/assets/compact.safetensors engine/assets/skew.safetensors
	@mkdir -p data/demo && find data/demo -mindepth 1 -maxdepth 1 ! -name slices -exec rm -rf {} +
	$(BIN)/python -m engine build probe: --out data/demo $(MODELS) --model compact-balanced --model compact-skewed --measure
	$(BIN)/python -m engine embed data/demo --space compact-0
	@touch $@

demo: data/demo/.built  ## build the demo cache from the rendered faces and open the app
	@$(MAKE) --no-print-directory app CACHE=data/demo

app: .venv/installed  ## browse a cache: make app CACHE=data/ferplus
	@echo "Doubtscope is at http://127.0.0.1:$(PORT) (Ctrl-C stops it)"
	@DOUBTSCOPE_CACHE="$(CACHE)" OPENBLAS_NUM_THREADS=1 exec $(BIN)/python -m pages --server.port $(PORT)

test: .venv/installed-dev browser  ## run every test, two files at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile

browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq chromium chromium-driver >/dev/null; fi; \
	command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
	  echo "chromium and chromedriver are not here and could not be installed: the browser tests will be skipped"

lint: .venv/installed-dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-dev  ## measure pipeline, MC dropout and app: make bench FERPLUS=PATH
	$(BIN)/python -m benchmarks $(if $(FERPLUS),--ferplus $(FERPLUS))

ferplus: .venv/installed  ## build the FER+ cache: make ferplus FERPLUS=PATH
	@test -n "$(FERPLUS)" || { echo "Say where FER+ is: make ferplus FERPLUS=PATH"; exit 1; }
	$(BIN)/python -m engine build ferplus:$(FERPLUS) --out data/ferplus $(MODELS) --measure --embed

paper: .venv/installed  ## reproduce the first paper on FER+: make paper FERPLUS=PATH
	@test -n "$(FERPLUS)" || { echo "Say where FER+ is: make paper FERPLUS=PATH"; exit 1; }
	$(BIN)/python -m engine weights casia-webface
	$(BIN)/python -m engine weights vggface2
	$(BIN)/python -m engine build ferplus:$(FERPLUS) --out data/ferplus $(MODELS) $(PAPER) --measure --embed
	$(BIN)/python -m engine evaluate data/ferplus --json docs/results.json --markdown docs/results.md \
	  --gap docs/gap.json --gap docs/gap-layers.json --gap docs/gap-uncnet.json --skew docs/skew.json

train: .venv/installed  ## train the compact model: make train FERPLUS=PATH
	@test -n "$(FERPLUS)" || { echo "Say where FER+ is: make train FERPLUS=PATH"; exit 1; }
	$(BIN)/python -m engine train compact --data ferplus:$(FERPLUS) --out engine/assets/compact.safetensors \
	  --jobs $$(nproc)

clean:  ## remove the environment and what tools leave behind; caches stay
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis build *.egg-info
