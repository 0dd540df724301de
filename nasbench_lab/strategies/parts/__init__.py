"""What several strategies are made of: selection, variation, rungs, policies, memories of what was seen."""
