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
from commonbeat.messaging.actions.health import bring_forward, hasten, note_answers, note_silence
from commonbeat.messaging.actions.inbox import receive, understand_batch
from commonbeat.messaging.actions.outbox import (
    Leased,
    enqueue,
    expire_outbound,
    free_leases,
    hand_back,
    lease_batch,
)
from commonbeat.messaging.actions.retention import purge_raw
from commonbeat.messaging.actions.trust import (
    TrustError,
    block_contact,
    discard,
    let_in,
    set_level,
    take_back,
    unblock_contact,
)
from commonbeat.messaging.queries import address_of

__all__ = [
    "AddressError",
    "Leased",
    "NotRetried",
    "TrustError",
    "address_of",
    "answer_asked",
    "block_contact",
    "bring_forward",
    "contact_for",
    "discard",
    "enqueue",
    "expire_outbound",
    "free_leases",
    "hand_back",
    "hasten",
    "lease_batch",
    "let_in",
    "note_answers",
    "note_receipt",
    "note_silence",
    "purge_raw",
    "receive",
    "record_failed",
    "record_outcomes",
    "record_sent",
    "retry_outbound",
    "set_language",
    "set_level",
    "start_contact",
    "stop_contact",
    "take_back",
    "unblock_contact",
    "understand_batch",
]
