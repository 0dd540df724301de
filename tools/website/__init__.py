"""What the site of the documentation has besides the pages of the repository: see docs/design/site.md."""
