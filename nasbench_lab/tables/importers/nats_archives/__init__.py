"""The official archives of NATS-Bench and NAS-Bench-201."""
