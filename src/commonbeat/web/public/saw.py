"""I saw something: the report form, beginning at an alert."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from commonbeat.alerts import public_queries as queries
from commonbeat.alerts.kinds import kind_of
from commonbeat.foundation import clock
from commonbeat.reactions.alerting import sighting_topic
from commonbeat.topics.queries import offered_topics
from commonbeat.web.public import steps
from commonbeat.web.public.draft import Draft
from commonbeat.web.public.wizard import Form, show


@require_safe
def saw(request: HttpRequest, number: int) -> HttpResponse:
    """Begin a report that answers an alert; also one that is over, for who saw something is heard."""
    chain = queries.chain_of(number) if number < 2**63 else None
    if chain is None or not kind_of(chain.root.kind).asks_sightings:
        raise Http404
    topic = sighting_topic(clock.now())
    if not topic.enabled:
        # Somebody has taken it out of use: then it is a report like any other.
        topics = offered_topics()
        topic = next((each for each in topics if each.code == "other"), topics[-1]) if topics else topic
    draft = Draft.new()
    draft.alert = chain.root.pk
    return show(request, Form(topic, draft, steps.steps_of(topic.definition)[0]))
