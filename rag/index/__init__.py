"""Room 3: vectors and rows. The tables of search structures and of the places where an index may be kept, by name."""

STRUCTURES = {
    "exact": "rag.index.vectors.exact:ExactStructure",
    "coarse": "rag.index.vectors.coarse:CoarseStructure",
    "ivf": "rag.index.vectors.ivf:InvertedStructure",
}

INDEXES = {
    "folder": "rag.index.folder_room:FolderRoom",
    "milvus": "rag.index.milvus.room:MilvusRoom",
}
