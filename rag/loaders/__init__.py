"""ROOM 1: files → passages → content. The table of loaders, by format family; suffixes are matched in detect.py."""

LOADERS = {
    "text": "rag.loaders.text:TextLoader",
    "markdown": "rag.loaders.markdown:MarkdownLoader",
    "code": "rag.loaders.code:CodeLoader",
    "notebook": "rag.loaders.notebook:NotebookLoader",
    "html": "rag.loaders.html:HtmlLoader",
    "office": "rag.loaders.office:OfficeLoader",
    "mail": "rag.loaders.mail:MailLoader",
    "pdf": "rag.loaders.pdf:PdfLoader",
    "picture": "rag.loaders.picture:PictureLoader",
    "video": "rag.loaders.video:VideoLoader",
}
