"""Makes the generated part of the sample corpus: pictures, screenshots, PDFs, office files, videos, distractors, queries.

Knows nothing of the `rag` package; the plain texts of the corpus are written by hand and are not touched.
"""
