"""Zero-cost proxies, one file per proxy. Importing this package does not import torch; using a proxy does."""
