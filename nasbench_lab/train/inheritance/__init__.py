"""Children that start from the weights of their parents."""
