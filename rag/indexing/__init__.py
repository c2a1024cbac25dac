"""THE WRITE PATH: folders to an index that is up to date.

Knows the rooms and joins them; prints nothing.
"""
