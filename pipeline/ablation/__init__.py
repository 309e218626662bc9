"""From one configuration to another, one change at a time: the rungs, what each changes, and what it brought."""
