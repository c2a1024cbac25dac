"""Retrievers for other frameworks: `langchain`, `llama_index` and `haystack`, each imported by its own name.

Knows nothing: importing this imports no framework.
"""
