"""Reading in other processes: jobs go out, passages and pixels come back; a file that kills its reader kills nothing else.

Knows loaders and processes; knows no model and no index.
"""
