# Everything a newcomer types. Needs Python 3.11-3.13, make and git; installs the rest below this checkout.
SHELL := /bin/bash
GEM_HOME ?= $(CURDIR)/.gem
VENV := $(CURDIR)/.venv
GEM := $(VENV)/bin/gem
# Debian's own interpreter imports Airflow about twice as fast as most self-built ones, so it is tried first.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { command -v $$p; break; }; done)
# uv: the one on PATH, or one of our own.
UV := $(or $(shell command -v uv 2>/dev/null),$(GEM_HOME)/uv/bin/uv)
export GEM_HOME

.PHONY: demo test unit check format lock lock-envs distill-envs audit licences install install-dev up down clean

demo: install  ## install, start everything, run the main job on examples/corpus, leave the UI up
	$(GEM) up
	$(GEM) run examples/corpus
	$(GEM) status

test: install-dev  ## every test: unit, integration (Postgres, S3 over HTTP), DAGs, end to end; in Chromium if it is there
	$(VENV)/bin/pytest -n 2 --dist load --no-loadscope-reorder

unit: install-dev  ## the fast tests only
	$(VENV)/bin/pytest tests/unit

check: install-dev  ## linter, types, import layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/basedpyright

format: install-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

up: install
	$(GEM) up

down:
	@if [ -x $(GEM) ]; then $(GEM) down; fi

lock: $(UV)  ## after changing pyproject.toml
	echo uv | $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes - -o requirements-uv.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes pyproject.toml -o requirements.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes -c requirements.lock --extra production pyproject.toml -o requirements-production.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --group dev -c requirements.lock -c requirements-production.lock pyproject.toml -o requirements-dev.lock

lock-envs: $(UV)  ## after changing envs/train, envs/vllm, envs/bfcl or envs/tau2
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --override envs/bfcl/overrides.txt envs/bfcl/requirements.in -o envs/bfcl/requirements.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes envs/tau2/requirements.in -o envs/tau2/requirements.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --override envs/train/overrides.txt envs/train/requirements.in -o envs/train/requirements.txt
	$(UV) pip compile -q --python-platform x86_64-manylinux_2_28 --python-version 3.11 --generate-hashes envs/vllm/requirements.in -o envs/vllm/requirements.txt

audit: $(UV)  ## known vulnerabilities of what production installs; needs PyPI's own JSON API
	$(UV) tool run -q pip-audit --disable-pip --no-deps -r requirements-production.lock

licences: $(UV)  ## docs/licences.md anew, from what production installs
	$(UV) venv -q --clear $(GEM_HOME)/production
	$(UV) pip install -q --python $(GEM_HOME)/production --require-hashes -r requirements-production.lock
	{ printf '%s\n' '# Licences' '' 'Of everything that `requirements-production.lock` installs (`make licences`). Nothing is changed or copied: LGPL and MPL' 'packages are used as libraries, of text-unidecode the Artistic alternative, of tld the LGPL or MPL one.' ''; $(UV) tool run -q pip-licenses --python $(GEM_HOME)/production/bin/python --format=markdown --order=license; } > docs/licences.md
	rm -rf $(GEM_HOME)/production

distill-envs: install  ## the environments of training and harnesses, installed now instead of at first use
	$(GEM) distill envs

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.lock pyproject.toml | $(UV) $(VENV)
	$(UV) pip install -q --python $(VENV) --require-hashes --compile-bytecode -r requirements.lock
	$(UV) pip install -q --python $(VENV) --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(UV) pip install -q --python $(VENV) --require-hashes --compile-bytecode -r requirements-dev.lock
	@touch $@

$(VENV): | $(UV)
	@[ -n "$(PYTHON)" ] || { echo "GEM needs Python 3.11, 3.12 or 3.13: install one, or say where it is with PYTHON=/path/to/python3"; exit 2; }
	$(UV) venv -q --python $(PYTHON) $(VENV)

$(GEM_HOME)/uv/bin/uv:
	@[ -n "$(PYTHON)" ] || { echo "GEM needs Python 3.11, 3.12 or 3.13: install one, or say where it is with PYTHON=/path/to/python3"; exit 2; }
	$(PYTHON) -m venv $(GEM_HOME)/uv
	$(GEM_HOME)/uv/bin/pip install -q --disable-pip-version-check uv

clean: down  ## removes the environment and ALL local data
	rm -rf $(VENV) $(GEM_HOME)
