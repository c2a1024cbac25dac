"""Everything that is text: plain, marked up, code, mail, subtitles.

Knows encodings and formats; knows no model and no index.
"""
