"""The topology tables of NATS-Bench, assembled from public repositories, with devices and zero-cost scores."""
