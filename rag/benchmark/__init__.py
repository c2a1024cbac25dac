"""How fast model servers and searches answer, measured as the guides of vLLM Ascend print it.

Knows the server backend and the read path; knows no terminal.
"""
