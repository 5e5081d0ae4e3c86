# Everything that can be done in a checkout. Each target sets up .venv by itself (Python 3.11 or newer, a package index).
#
#   make demo         the story: simulators, a gateway, one registered birth, four refusals, a verified log
#   make test         all tests (ARGS=… goes to pytest)
#   make check        lint, format, types, import walls
#   make bench        speed, side by side with a bare proxy (≤ 10 minutes); make bench-large: millions of rows
#   make acceptance   the tests that also need other people's programs; names what is missing. Without openssl, xmlsec1 or
#                     go (which fetches modules) the tests of evidence and log fail; without node, java, php or chromium
#                     theirs are left out
#   make lock         resolve the dependencies of pyproject.toml anew
#   make clean        remove what the targets above made
#
# PYTHON=/path/to/python chooses the interpreter.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench bench-large acceptance lock clean

VENV := .venv
PY := $(VENV)/bin/python
LOG := $(VENV)/setup.log
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
ARGS ?=

# The first interpreter that is new enough and can make environments; a name on the PATH alone proves nothing.
FIND_PYTHON = for p in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
  "$$p" -c '$(USABLE)' >/dev/null 2>&1 && command -v "$$p" && break; done

# Shell commands for $(shell …): they print what is wrong, in one line, or nothing. Progress goes to stderr.
MAKE_VENV = python="$$($(FIND_PYTHON))"; \
  if [ -z "$$python" ]; then \
    echo "no usable $(or $(PYTHON),python3): install Python 3.11 or newer with its venv module, or name one with make PYTHON=/path/to/python"; exit; fi; \
  echo "Setting up $(VENV) with $$("$$python" -V) (once; about a minute)" >&2; \
  if ! "$$python" -m venv --clear $(VENV) >/dev/null 2>&1; then \
    echo "$$python could not make $(VENV): check the free space and the rights on this folder, then run make again"; exit; fi; \
  $(INSTALL) --require-hashes --only-binary :all: -r requirements.lock >$(LOG) 2>&1 || $(EXPLAIN)
MAKE_SELF = $(INSTALL) --no-deps --no-build-isolation --no-index -e . >$(LOG) 2>&1 || \
  echo "the checkout could not be installed into $(VENV): see $(LOG), and run make clean to start afresh"
INSTALL = $(PY) -m pip install --quiet --no-input --no-compile --disable-pip-version-check
EXPLAIN = if grep -q 'DO NOT MATCH THE HASHES' $(LOG); then \
    echo "a package differs from requirements.lock (see $(LOG)): do not install it; check your package index"; \
  elif grep -q 'No space left' $(LOG); then echo "the disk is full: free 500 MB, then run make again"; \
  else echo "packages could not be installed (see $(LOG)): check the network, or name your index with PIP_INDEX_URL, then run make again"; fi

help:
	@sed -n 's/^#   //p' Makefile

$(VENV)/.locked: requirements.lock
	$(eval problem := $(shell $(MAKE_VENV)))$(if $(problem),$(error $(problem)))
	@touch $@

$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	$(eval problem := $(shell $(MAKE_SELF)))$(if $(problem),$(error $(problem)))
	@touch $@

setup: $(VENV)/.ready

demo: setup
	@$(VENV)/bin/motlan demo $(ARGS)

test: setup
	@$(PY) -m pytest $(ARGS)

check: setup
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo "some files are not formatted: run $(VENV)/bin/ruff format"; exit 1; }
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --cache-dir .import_linter_cache --no-logo

bench: setup
	@$(PY) -m bench $(ARGS)

bench-large: setup
	@$(PY) -m bench --large $(ARGS)

acceptance: setup
	@for tool in openssl xmlsec1 go; do \
	  command -v $$tool >/dev/null || echo "$$tool is missing: the tests of evidence and log will fail"; done
	@for tool in node java php chromium; do \
	  command -v $$tool >/dev/null || echo "$$tool is missing: its tests are left out"; done
	@$(PY) -m pytest -m acceptance $(ARGS)

# In an environment of its own: the resolver's needs are not ours. Run it on the oldest Python that is supported.
lock:
	@rm -rf build/lock && mkdir -p build
	@"$$($(FIND_PYTHON))" -m venv build/lock && build/lock/bin/python -m pip install --quiet pip-tools
	@build/lock/bin/pip-compile --quiet --upgrade --generate-hashes --no-header --annotation-style=line --strip-extras \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
	  --extra gateway --extra dev --output-file build/requirements.lock pyproject.toml
	@{ echo '# Made by `make lock` from pyproject.toml. Hashes, and no address: the index is the reader'"'"'s own.'; \
	  cat build/requirements.lock; } > requirements.lock
	@! grep -nE '://|--(index|extra|find|trusted)' requirements.lock

clean:
	@rm -rf $(VENV) build dist var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
