"""Steps: evaluations that happened outside this package, and their arrangement as the arrays of a trace."""
