"""The journal entries that reactions write: ids and codes only."""

FAILED = "reactions.failed"
