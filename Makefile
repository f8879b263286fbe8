# demo: real handshakes, step by step     test: the tests        bench: the benchmarks
# lint: the checkers                      sanitize: the tests under ASan and UBSan
#
# Each makes and uses a local virtual environment, and builds what has changed. VENV and PYTHON choose others.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
BENCH_ARGS ?=
BIN := $(VENV)/bin
DECLARATIONS := $(shell find fasttls -name "*.pxd")
NATIVE := $(wildcard fasttls/native/*.pyx src_c/*.c src_c/*.h) $(shell find fasttls -name "*.py") $(DECLARATIONS)
SANITIZED := build/sanitize
EXTRAS := $(patsubst %,$(VENV)/.%,test interop dropin bench lint)

.PHONY: demo test bench record-instructions lint sanitize clean build extras

demo: build
	$(BIN)/python -m fasttls demo

test: build $(VENV)/.test
	$(BIN)/pytest $(PYTEST_ARGS)

bench: build $(VENV)/.test $(VENV)/.bench
	$(BIN)/pytest benchmarks -s --benchmark-timer=time.thread_time --benchmark-columns=min,median,rounds \
		--benchmark-group-by=func $(BENCH_ARGS)

# What benchmarks/test_instructions.py compares with, for this Python, this cryptography and this processor.
record-instructions: build $(VENV)/.bench
	$(BIN)/python benchmarks/instructions.py --record

lint: build $(VENV)/.test $(VENV)/.bench $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/stubtest --concise --allowlist tests/stubtest-allowlist.txt \
		$(patsubst fasttls/native/%.pyx,fasttls.native.%,$(wildcard fasttls/native/*.pyx))
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/cython-lint fasttls/native/*.pyx $(DECLARATIONS)
	$(BIN)/clang-format --dry-run -Werror src_c/*.c src_c/*.h tests/c/*.c
	FASTTLS_WERROR=1 FASTTLS_PURE=1 $(BIN)/python setup.py -q build --build-base build/warnings --force

# The modules are built apart, with the sanitizers' run time loaded before Python. Python itself leaks on purpose. What is
# written in Python is not compiled here, so that it is tested as it stands too.
# tests/fleet and tests/cpython are about processes and what they wait for, tests/drop_in about libraries; tests/c builds with
# the sanitizers by itself.
sanitize: build $(VENV)/.test
	FASTTLS_SANITIZE=address,undefined FASTTLS_PURE=1 $(BIN)/python setup.py -q build \
		--build-base $(SANITIZED) --build-lib $(SANITIZED)/lib
	LD_PRELOAD="$$($${CC:-cc} -print-file-name=libasan.so) $$($${CC:-cc} -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 FASTTLS_SANITIZED=$(abspath $(SANITIZED)/lib) \
		$(BIN)/pytest -o pythonpath="$(SANITIZED)/lib tests" -m "not interop" --ignore=tests/fleet --ignore=tests/cpython \
		--ignore=tests/drop_in --ignore=tests/c -p no:cacheprovider \
		$(PYTEST_ARGS)

build: $(VENV)/.built

# Everything that the tests, the benchmarks and the checkers can use.
extras: $(EXTRAS)

$(VENV)/.tools: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fasttls needs Python 3.11 or later")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		> $(VENV)/build-requires.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r $(VENV)/build-requires.txt
	@touch $@

# Only what has changed is compiled, which pip cannot do: it compiles all of it again.
$(VENV)/.built: $(VENV)/.tools setup.py $(NATIVE)
	$(BIN)/python setup.py -q build_ext --inplace
	FASTTLS_COMPILED=1 $(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation -e .
	@touch $@

$(EXTRAS): $(VENV)/.%: pyproject.toml | $(VENV)/.built
	FASTTLS_COMPILED=1 $(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation -e ".[$*]"
	@touch $@

clean:
	rm -rf build dist *.egg-info $(VENV) .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find fasttls \( -name "*.c" -o -name "*.so" \) -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
