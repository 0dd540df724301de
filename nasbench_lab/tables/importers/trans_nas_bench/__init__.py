"""TransNAS-Bench-101: tables from a public repository, and from the official file."""
