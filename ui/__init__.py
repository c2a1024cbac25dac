"""The web page of `rag ui`. Importing it loads nothing; `ui.page` puts it together."""
