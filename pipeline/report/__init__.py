"""Runs as one HTML page that opens anywhere: one file per section, which turns runs into plain data."""
