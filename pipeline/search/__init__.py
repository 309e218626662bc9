"""A study: its space, its trials, the processes that train them, and what it shows."""
