"""Office documents, EPUB books, and the ZIP archives that hold them.

Knows XML packages; knows no model and no index.
"""
