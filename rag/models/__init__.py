"""Which model, where it runs, how it is started, and the proof that it reads what it was trained on.

Knows backends and machines; knows no file of a corpus.
"""
