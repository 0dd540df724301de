"""The topology tables of NATS-Bench, assembled from public repositories, with device costs and zero-cost scores."""
