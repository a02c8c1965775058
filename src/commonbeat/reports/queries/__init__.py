"""Reads for a screen or a feed, with a bounded number of SQL queries."""
