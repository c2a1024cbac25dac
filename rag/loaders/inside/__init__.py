"""Files inside files: archives, attachments, and the pictures in documents, as passages of the document that holds them.

Knows names; imports none of them.
"""

HOLDERS = {  # by loader: what lists the files inside a document
    "archive": "rag.loaders.inside.archives:parts",
    "mail": "rag.loaders.inside.mail:parts",
    "office": "rag.loaders.inside.office:parts",
    "pdf": "rag.loaders.inside.pdf:parts",
    "html": "rag.loaders.inside.html:parts",
    "notebook": "rag.loaders.inside.notebook:parts",
}
