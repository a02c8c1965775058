"""What a picture shows: sums of published buckets on a part of the world, and what is written around them."""

from __future__ import annotations

import numpy as np

from commonbeat.maps import measures, rules
from commonbeat.maps.arrays import Filter, Sums, together
from commonbeat.maps.measures import CONTACTS, MONTHLY
from commonbeat.maps.outlines import Outlines
from commonbeat.maps.picture import Scene
from commonbeat.maps.picture_cells import Span, Wanted, sums_in, wanted_of
from commonbeat.maps.picture_frame import Frame, frame_of
from commonbeat.maps.picture_heat import Laid, lay
from commonbeat.maps.picture_view import View, view_of
from commonbeat.maps.tally import tally
from commonbeat.web.public import picture_words as words
from commonbeat.web.public.picture_asked import Asked, face

_outlines = Outlines()


def scene_of(asked: Asked) -> Scene:
    """Count, and find the words; in the language that is active."""
    frame, view, laid = laid_for(asked)
    return Scene(
        frame,
        view,
        laid,
        asked.language,
        words.heading(asked, face()) if asked.has_legend else None,
        words.legend(asked, laid) if asked.has_legend else None,
        asked.measure.classes,
    )


def laid_for(asked: Asked) -> tuple[Frame, View, Laid]:
    """Count what a picture shows: at most three queries, two more for reports a month."""
    heading = words.heading(asked, face()) if asked.has_legend else None
    frame = frame_of(asked.width, asked.height, heading, face())
    view = view_of(asked.latitude, asked.longitude, asked.zoom, asked.width, frame.map_height)
    return frame, view, lay(_monthly(view, asked) if asked.measure is MONTHLY else _whole(view, asked), view, _outlines)


def _whole(view: View, asked: Asked) -> Sums:
    since, until = _days(asked)
    topics = [(topic.pk, topic.definition) for topic in asked.topics]
    column = "sources" if asked.measure is CONTACTS else "n"
    return sums_in(view, wanted_of(topics, category=asked.category, since=since, until=until, column=column))


def _monthly(view: View, asked: Asked) -> Sums:
    """Divide by months, each topic by its own, as tiles do."""
    counts, today = tally(), rules.day_number(asked.today)
    parts: dict[Filter, list[int]] = {}
    for topic in asked.topics:
        known = counts.only(topic.pk).span()
        wanted = Filter(asked.category, *rules.span_of(topic.definition, *_days(asked)))
        complete = measures.complete(topic.definition, wanted, known[0] if known else None, today)
        parts.setdefault(complete, []).append(topic.pk)
    found = []
    for span, pks in parts.items():
        wanted_here = Wanted((Span(tuple(pks), span.since, span.until),), asked.category)
        sums = sums_in(view, wanted_here)
        found.append(Sums(sums.cells, sums.n / measures.months_of(span)))
    joined = together(found)
    return Sums(joined.cells, np.round(joined.n.astype(float), 1))


def _days(asked: Asked) -> tuple[int | None, int | None]:
    return (
        None if asked.since is None else rules.day_number(asked.since),
        None if asked.until is None else rules.day_number(asked.until),
    )
