"""NAS-Bench-Graph: the light version, and the learning curves of the full version."""
