"""The study of a comparison: statistics per task, and over all tasks."""
