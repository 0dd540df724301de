"""For papers, besides figures: tables in LaTeX and Markdown, and the reproducibility checklist."""
