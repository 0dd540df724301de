"""Getting published files: where they are, downloading them, and what no program can download."""
