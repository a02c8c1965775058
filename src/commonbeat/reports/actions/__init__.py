"""Every change of a report: keyword-only, one short transaction, one journal entry."""
