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
    "picture": "rag.loaders.picture.picture:PictureLoader",
    "video": "rag.loaders.video.video:VideoLoader",
}
