"""Models in this process: vLLM and sentence-transformers.

Knows accelerators and weights; asks no server.
"""
