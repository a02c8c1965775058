"""The journal entries that messaging writes: ids and codes only."""

# The live writer names this kind in its own SQL (live/writer.py).
RECEIVED = "messaging.received"
FAILED = "messaging.failed"
STOPPED = "messaging.stopped"
STARTED = "messaging.started"
UNDELIVERED = "messaging.undelivered"
