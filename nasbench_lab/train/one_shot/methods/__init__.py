"""One-shot methods, one file per method. Importing this package does not import torch; using a method does."""
