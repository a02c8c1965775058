"""commonbeat import: bring in the reports of other systems."""
