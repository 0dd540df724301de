"""Tables of a user's own CSV and Parquet files."""
