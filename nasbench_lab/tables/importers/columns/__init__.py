"""Tables of a user's own CSV, Parquet and JSON files."""
