"""One module per publication: the recipes of its tables and the reader of its files."""
