"""Live search: architectures are trained when a search asks for them."""
