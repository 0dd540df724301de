"""NAS-Bench-NLP: learning curves of recurrent networks on WikiText-2."""
