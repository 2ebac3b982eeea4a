# `make help` lists what there is to make.
#
# run and test first install requirements.lock into .venv, which takes a few minutes once and then again only when the lock changes.
# PYTHON=/path/to/python3.11 names another interpreter than the one found here.

.PHONY: help run test lint config setup
.DEFAULT_GOAL := help

# Packages from outside .venv would make two machines differ.
unexport PYTHONPATH PYTHONHOME

interpreters = $(if $(PYTHON),"$(PYTHON)",python3.11 python3)
fits = import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
# What .venv was made from, and where: its scripts name their folder, so that a moved one has to be made anew.
recipe = { pwd; cat requirements.lock; }

help: ## list the targets
	@sed -n 's/^\([a-z]*\): *\([a-z]* \)*## /\1|/p' Makefile | while IFS='|' read -r target what; do printf 'make %-8s %s\n' "$$target" "$$what"; done

run: setup ## run the built-in example, from raw files to results/report.html
	.venv/bin/snakemake --cores all
	.venv/bin/snakemake --cores all --report results/report.html
	@echo "The report: $(CURDIR)/results/report.html"

test: setup ## run every test, with the line coverage of the library
	.venv/bin/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --cov

lint: setup ## check style, formatting and types
	.venv/bin/snakemake --lint
	.venv/bin/snakefmt --check Snakefile rules
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

config: setup ## write the comments of config.yaml and docs/configuration.md anew, from the schema
	cd workflow/scripts && ../../.venv/bin/python -m wakawaka.config.reference

# .venv/complete is written last: after an interrupted installation the next one starts from nothing.
setup: ## install the packages of requirements.lock into .venv
	@if $(recipe) | cmp -s - .venv/complete; then exit; fi; \
	for python in $(interpreters) ""; do \
		if [ "$$python" ] && "$$python" -c "$(fits)" 2>/dev/null; then break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "WakaWaka needs Python 3.11, 3.12 or 3.13 with its venv module (Debian, Ubuntu: apt install python3.11-venv)." >&2; \
		echo "If it is not on the search path, name it: make run PYTHON=/path/to/python3.11" >&2; \
		exit 1; \
	fi; \
	echo "Installing the packages of requirements.lock into .venv (a few minutes, this once)"; \
	"$$python" -m venv --clear .venv && \
	.venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input -r requirements.lock && \
	$(recipe) > .venv/complete
