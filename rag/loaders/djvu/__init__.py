"""DjVu: its pages as a program draws them, their hidden text, bookmarks and title.

Knows the programs of DjVuLibre by what they are asked; knows no model and no index.
"""
