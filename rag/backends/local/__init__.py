"""Models loaded into this process, by vLLM or sentence-transformers.

Knows accelerators and weights; asks no server.
"""
