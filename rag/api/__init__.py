"""The HTTP API: one FastAPI application over the read path. Needs the extra `ui`; only `rag ui` and `rag mcp` import it.

Knows HTTP and open indexes; knows no terminal and no page.
"""
