"""One training run, of any network."""
