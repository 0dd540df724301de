"""What the faces of NATS-Bench and NAS-Bench-201 share."""
