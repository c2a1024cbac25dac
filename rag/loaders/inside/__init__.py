"""Files inside files: archives, attachments, and the pictures in documents, as passages of the document that holds them.

Knows names; imports none of them.
"""

HOLDERS = {  # by loader: what lists the files inside a document
    "archive": "rag.loaders.inside.archives:parts",
}
VERSION = 1  # of what only holds others (archives, mail): raised whenever any loader gives other passages
