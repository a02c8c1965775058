"""Sealed dialogues that only the members of a desk and whoever began them can open."""
