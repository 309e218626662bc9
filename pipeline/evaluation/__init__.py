"""What a model's answers to labelled images are worth: one file per measure, and the comparison of two models."""
