"""TransNAS-Bench-101: what public repositories carry, and the official file."""
