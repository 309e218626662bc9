"""A logged model in another format: its graph, the files that are written, and whether they answer the same."""
