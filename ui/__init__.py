"""The web page of `rag ui`. Knows nothing of an index, and importing it loads nothing; `ui.page` puts it together."""
