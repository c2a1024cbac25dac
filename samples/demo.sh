#!/usr/bin/env bash
# Indexes samples/corpus with the built-in models, then asks for a text, a page, a screenshot, an image and a frame.
set -euo pipefail
cd "$(dirname "$0")/.."
rag="${BIN:-.venv/bin}/rag"
for name in ${!RAG_@}; do unset "$name"; done

run() {
    local word shown=""
    for word in "$@"; do
        if [[ $word == *" "* ]]; then word="\"$word\""; fi
        shown+=" $word"
    done
    printf '\n$ rag%s\n' "$shown"
    "$rag" "$@"
}

run index samples/corpus --index samples
run query "how do I connect to the vpn from home" --index samples --top-k 2
run query "letter from the insurance about the broken fender" --index samples --top-k 2
run query "disk almost full error message" --index samples --top-k 2
run query --image samples/query_pictures/evening.jpg --index samples --top-k 2
run query "three ways to raise the alarm" --index samples --top-k 2
run query "大雾停航 退票" --index samples --top-k 2
printf '\nNow a folder of your own:  %s index FOLDER  and  %s query "..."\n' "$rag" "$rag"
