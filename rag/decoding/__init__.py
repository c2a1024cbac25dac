"""Confined worker processes, the only ones that open strangers' files: jobs go out, passages and pixels come back.

Knows loaders and processes; knows no model and no index. `pool` reads for an index, `ask_pool` for somebody who waits; both use
the same processes, so that a file which kills its reader kills nothing else, whoever asked.
"""
