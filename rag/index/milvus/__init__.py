"""An index in Milvus: three collections, one commit rule, and the answers of the folder index.

Knows Milvus and rows; knows no model, no corpus and no file of an index folder.
"""
