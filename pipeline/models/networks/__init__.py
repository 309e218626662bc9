"""What a model is to the rest of the pipeline: a network, of whatever kind."""
