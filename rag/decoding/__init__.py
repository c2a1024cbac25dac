"""Reading in other processes: jobs go out, passages and pixels come back; a file that kills its reader kills nothing else.

Knows loaders and processes; knows no model and no index. The processes of `rag.media` are others: they are handed an open file
and not a path, give one answer to somebody who waits, and write the videos they make, which these may not.
"""
