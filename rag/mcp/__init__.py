"""The MCP server: what an agent may ask, and how it is answered.

Knows the read path and the protocol; knows no file and no model.
"""
