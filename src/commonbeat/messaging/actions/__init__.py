"""Every change of contacts, inbox and outbox."""

from commonbeat.messaging.actions.asked import answer_asked
from commonbeat.messaging.actions.contacts import (
    AddressError,
    contact_for,
    set_language,
    start_contact,
    stop_contact,
)
from commonbeat.messaging.actions.delivery import (
    NotRetried,
    note_receipt,
    record_failed,
    record_outcomes,
    record_sent,
    retry_outbound,
)
from commonbeat.messaging.actions.health import bring_forward, hasten, note_answers
from commonbeat.messaging.actions.inbox import purge_raw, receive, understand_batch
from commonbeat.messaging.actions.outbox import (
    Leased,
    enqueue,
    expire_outbound,
    free_leases,
    hand_back,
    lease_batch,
)
from commonbeat.messaging.queries import address_of

__all__ = [
    "AddressError",
    "Leased",
    "NotRetried",
    "address_of",
    "answer_asked",
    "bring_forward",
    "contact_for",
    "enqueue",
    "expire_outbound",
    "free_leases",
    "hand_back",
    "hasten",
    "lease_batch",
    "note_answers",
    "note_receipt",
    "purge_raw",
    "receive",
    "record_failed",
    "record_outcomes",
    "record_sent",
    "retry_outbound",
    "set_language",
    "start_contact",
    "stop_contact",
    "understand_batch",
]
