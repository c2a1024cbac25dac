"""An index checked, compacted, migrated and repaired.

Knows all of the index folder; knows no file of a corpus.
"""
