"""Files that survive a kill: durable, locked, checksummed.

Knows bytes and system calls; knows no row and no vector.
"""
