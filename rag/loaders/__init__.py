"""Files → passages → content: the table of loaders by format family. `detect.py` chooses the family of a file.

Knows names; imports none of them.
"""

LOADERS = {
    "text": "rag.loaders.text.text:TextLoader",
    "markdown": "rag.loaders.text.markdown:MarkdownLoader",
    "code": "rag.loaders.text.code:CodeLoader",
    "notebook": "rag.loaders.text.notebook:NotebookLoader",
    "html": "rag.loaders.text.html:HtmlLoader",
    "office": "rag.loaders.office.office:OfficeLoader",
    "mail": "rag.loaders.text.mail:MailLoader",
    "archive": "rag.loaders.inside.archives:ArchiveLoader",
    "pdf": "rag.loaders.pdf.pdf:PdfLoader",
    "djvu": "rag.loaders.djvu.djvu:DjvuLoader",
    "xps": "rag.loaders.pdf.xps:XpsLoader",
    "picture": "rag.loaders.picture.picture:PictureLoader",
    "video": "rag.loaders.video.video:VideoLoader",
}

# The `version` of each, so that a run knows what an older one has read without importing them; a test holds both equal.
VERSIONS = {
    "text": 4,
    "markdown": 2,
    "code": 3,
    "notebook": 3,
    "html": 4,
    "office": 9,
    "pdf": 7,
    "djvu": 1,
    "xps": 1,
    "picture": 4,
    "video": 4,
}

SHOW_PHOTOS = frozenset({"picture", "video", "archive", "mail", "office"})  # whose passages may be photos

HOLD_ANY = frozenset({"archive", "mail"})  # files of every format

# What holds other files is read anew whenever any loader reads more.
_ALL = sum(VERSIONS.values())
VERSIONS |= {"archive": 1 + _ALL, "mail": 4 + _ALL}
