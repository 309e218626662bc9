"""Whether the images are any good: near-duplicates, pictures of one colour, odd sizes, small classes."""
