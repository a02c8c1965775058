"""The journal entries that messaging writes: ids and codes only."""

# The live writer names this kind in its own SQL (live/writer.py).
RECEIVED = "messaging.received"
FAILED = "messaging.failed"
STOPPED = "messaging.stopped"
STARTED = "messaging.started"
UNDELIVERED = "messaging.undelivered"
RETRIED = "messaging.retried"
# A test message of an administrator.
TRIED = "messaging.tried"
# The subject is the row of the channel's health.
CHANNEL_DOWN = "messaging.channel_down"
CHANNEL_BACK = "messaging.channel_back"
