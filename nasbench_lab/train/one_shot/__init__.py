"""Weight sharing: supernets, their training, and how well their scores rank architectures. Needs torch."""
