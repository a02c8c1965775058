"""Every change of contacts, inbox and outbox."""

from commonbeat.messaging.actions.contacts import (
    AddressError,
    contact_for,
    set_language,
    start_contact,
    stop_contact,
)
from commonbeat.messaging.actions.inbox import purge_raw, receive, understand_batch
from commonbeat.messaging.actions.outbox import (
    Leased,
    enqueue,
    expire_outbound,
    free_leases,
    lease_batch,
    note_receipt,
    record_failed,
    record_sent,
)
from commonbeat.messaging.queries import address_of

__all__ = [
    "AddressError",
    "Leased",
    "address_of",
    "contact_for",
    "enqueue",
    "expire_outbound",
    "free_leases",
    "lease_batch",
    "note_receipt",
    "purge_raw",
    "receive",
    "record_failed",
    "record_sent",
    "set_language",
    "start_contact",
    "stop_contact",
    "understand_batch",
]
