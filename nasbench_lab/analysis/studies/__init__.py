"""The study of a comparison: what traces say of every task, and of all tasks together."""
