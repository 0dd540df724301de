"""The official files of NAS-Bench-101."""
