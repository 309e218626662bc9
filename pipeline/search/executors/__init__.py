"""What trains the trials of a study: one file per kind of executor.

The loop that hands out trials (trials.py) takes any of them, and knows none.
"""
