"""Any model whose prompt is not known here: its text is sent as it is, after a prefix of the user's.

Knows no prompt: the server, or the model's own folder, says what is read.
"""

from rag.backends.families.base import Family

EMBEDDING = Family("plain-embedding", False, 8192, "", "", "", templated=False, pooling="own")
RERANKER = Family("plain-reranker", False, 8192, "", "", "", templated=False, pooling="own")
