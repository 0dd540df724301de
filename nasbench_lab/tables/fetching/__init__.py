"""Published files: their sources, downloads, and manual downloads."""
