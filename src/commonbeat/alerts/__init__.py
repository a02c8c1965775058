"""Warnings with an area and an end: who hears of them, and in what form. CAP 1.2 is the source of truth."""
