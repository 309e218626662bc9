"""Archives whose members are read in place, as if they lay in a folder: zip, and tar, compressed or not."""
