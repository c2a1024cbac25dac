#!/usr/bin/env bash
# Indexes samples/corpus with the built-in models, then asks for a text, a page, a screenshot, an image and a frame.
set -euo pipefail
cd "$(dirname "$0")/.."
rag="${BIN:-.venv/bin}/rag"
unset "${!RAG_@}"

say() { printf '\n\033[1m$ rag %s\033[0m\n' "$*"; }
ask() { say "query" "$(printf '%q ' "$@")"; "$rag" query --index samples --top-k 3 "$@"; }

say index samples/corpus --index samples
"$rag" index samples/corpus --index samples
