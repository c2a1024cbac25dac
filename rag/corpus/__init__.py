"""Folders to documents: the walk, what it leaves out, and what lies beside a file.

Knows names and stamps; opens no document.
"""
