# `make demo` runs the Motrin case, `make test` proves the desk. Both need Python 3.11 or newer and a package index.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet --quiet
ARGS ?=

# The tests start hundreds of programmes; none of them should have to compile what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check proof bench pictures openapi clean
.DELETE_ON_ERROR:

demo: .venv/.runs
	@.venv/bin/crisisdesk demo $(ARGS)

# One process more than processors, since many tests wait for sockets and clocks.
test: check
	@.venv/bin/python -m pytest --numprocesses $$(.venv/bin/python -c "import os; print((os.cpu_count() or 1) + 1)") --dist loadfile $(ARGS)

check: .venv/.tests
	@.venv/bin/python -m ruff format --check --quiet . || { echo "make: run .venv/bin/ruff format" >&2; exit 1; }
	@.venv/bin/python -m ruff check --quiet .
	@.venv/bin/lint-imports >/dev/null || { .venv/bin/lint-imports; exit 1; }
	@.venv/bin/python -m mypy --no-error-summary

proof: .venv/torch/.made
	@.venv/bin/python -m pytest -m proof --timeout 1800 $(ARGS)

bench: .venv/torch/.made
	@.venv/bin/python -m pytest -m bench --timeout 1800 --capture no $(ARGS)

pictures: .venv/.runs
	@.venv/bin/python docs/pictures.py

openapi: .venv/.runs
	@.venv/bin/python docs/openapi.py

clean:
	rm -rf .venv dist

.venv/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "crisisdesk needs Python 3.11 or newer; none was found. Install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi
	@rm -rf .venv
	@$(PYTHON) -m venv .venv >.venv.log 2>&1 || { cat .venv.log >&2; rm -rf .venv .venv.log; \
		echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@rm -f .venv.log
	@touch $@

.venv/.runs: .venv/.made requirements.lock pyproject.toml
	@echo "Installing crisisdesk into .venv (once, about a minute) ..." >&2
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

.venv/.tests: .venv/.runs tests/requirements.lock
	@echo "Installing what the tests need ..." >&2
	@$(PIP) install --require-hashes --requirement tests/requirements.lock
	@touch $@

# PyTorch lives in a second environment that sees all of the first; the first stays as people install it, without PyTorch.
.venv/torch/.made: .venv/.tests tests/torch.txt
	@echo "Installing PyTorch into .venv/torch (once) ..." >&2
	@rm -rf .venv/torch
	@.venv/bin/python -m venv .venv/torch
	@.venv/bin/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		>"$$(.venv/torch/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/first.pth"
	@.venv/torch/bin/python -m pip --disable-pip-version-check --quiet --quiet install --requirement tests/torch.txt
	@touch $@
