# Two commands are all the set-up: make book, make test. The others build on the same .venv.
.DEFAULT_GOAL := help
.PHONY: help book test serve refresh pdf lighthouse bench grades release lab references exercises named mutants tables runs weights clean system writable

PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
RUN := .venv/bin/python
PORT ?= 8000
export JUPYTER_PLATFORM_DIRS := 1

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: .venv/.installed ## build the book and say where it is
	@$(RUN) -m course_utils.grading.cli release
	@.venv/bin/jupyter-book build --all -n -W --keep-going -q . || { echo "The book is not built: mend the warnings above."; exit 1; }
	@echo "The book is ready: open $$(pwd)/_build/html/index.html"

test: .venv/.installed system release ## run every test that this machine can run
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n auto --dist loadscope --no-loadscope-reorder --nbval chapters tests

serve: book ## build the book and serve it on this machine
	@echo "http://localhost:$(PORT) (Ctrl+C ends it)"
	@$(RUN) -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

refresh: .venv/.installed ## run chapters and store their outputs: make refresh CHAPTER=01_filters
	@$(RUN) _site/refresh.py $(if $(CHAPTER),chapters/$(CHAPTER).ipynb,chapters/*.ipynb)

pdf: book ## print the book as one PDF, with Chromium
	@$(RUN) _site/paper.py

lighthouse: book ## let Lighthouse look at five pages, and at a stock page beside them
	@$(RUN) tools/lighthouse.py

bench: .venv/.installed ## measure the budgets, side by side in one run
	@$(RUN) tests/bench.py

grades: .venv/.installed ## grade the same submissions in seven ways and compare every grade and byte
	@$(RUN) tests/same_grades.py $(OPTIONS)

release: .venv/.installed ## make the students' notebooks and bundles
	@$(RUN) -m course_utils.grading.cli release

lab: .venv/.installed ## open JupyterLab
	@$(RUN) -m jupyterlab

references: .venv/.installed ## ask the oracles again and store the reference tensors
	@$(RUN) -m course_utils.checks.references

named: .venv/.installed ## how many of the tests' wrong answers get a name; store the names
	@$(RUN) tools/named.py

exercises: .venv/.installed ## grade the exercises themselves: make exercises NAME="softmax log_softmax"
	@$(RUN) tools/exercises.py $(NAME)

mutants: .venv/.installed ## change the comparators place by place, and see whether a test notices
	@$(RUN) tools/mutants.py

tables: .venv/.installed ## where the lesson's items are, and which test asserts which number
	@$(RUN) tools/tables.py items
	@$(RUN) tools/tables.py numbers
	@$(RUN) tools/tables.py explorers

runs: .venv/.installed ## make the records of the broken runs of assignment 7 again
	@$(RUN) tools/make_runs.py

weights: .venv/.installed ## train LeNet-5 and store its weights; see tools/train_lenet5.py --help
	@$(RUN) tools/train_lenet5.py $(OPTIONS)

clean: ## remove what make has made, but no submission and no grade
	rm -rf _build release .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.installed: requirements.txt pyproject.toml | writable
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer is found: install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python cannot make .venv: on Debian, install python3-venv; then run make again"; rm -rf .venv; exit 1; }
	@echo "Installing the packages of requirements.txt into .venv; the first time takes some minutes."
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch .venv/.installed

book test refresh release references tables runs weights: | writable
writable:
	@test -w . || { echo "This folder cannot be written to: copy the course to one that can, and run make there."; exit 1; }

# The system packages that some tests need; elsewhere those tests are left out, and say so.
system:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		if ! command -v chromium >/dev/null || ! command -v bwrap >/dev/null; then \
			echo "Installing chromium and bubblewrap for the tests."; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium bubblewrap fonts-dejavu-core; } >/dev/null \
			|| echo "They could not be installed: the tests that need them are left out."; \
		fi; \
	fi
