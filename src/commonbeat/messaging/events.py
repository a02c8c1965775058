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
# The subject is the contact.
TRUST_WEIGHED = "messaging.trust_weighed"
TRUST_SET = "messaging.trust_set"
BLOCKED = "messaging.blocked"
UNBLOCKED = "messaging.unblocked"
LET_IN = "messaging.let_in"
DISCARDED = "messaging.discarded"
TAKEN_BACK = "messaging.taken_back"
CONTACT_LOOKED = "messaging.contact_looked"
# The subject is the unit whose quarantine was read; 0 is all of it.
QUARANTINE_LOOKED = "messaging.quarantine_looked"
# The subject was a contact: erased because its owner asked, forgotten because two years had passed.
ERASURE_ASKED = "messaging.erasure_asked"
ERASED = "messaging.erased"
FORGOTTEN = "messaging.forgotten"
# The subject is the row of the channel's health.
CHANNEL_DOWN = "messaging.channel_down"
CHANNEL_BACK = "messaging.channel_back"
# Settings were set or cleared on a channel's page; the subject is the row of the first of them, data: the channel and
# their names, never a value.
CHANNEL_CHANGED = "messaging.channel_changed"
