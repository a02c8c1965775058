"""Addresses of the oversight body."""

from __future__ import annotations

from django.urls import path

from commonbeat.web.administration.tip_desks import COMPLAINT_DESKS, patterns
from commonbeat.web.desk import tips_urls
from commonbeat.web.desk.tips_side import COMPLAINTS
from commonbeat.web.oversight import alone, complaints, escrow, journal, log

app_name = "oversight"
urlpatterns = [
    path("", journal.home, name="home"),
    path("journal/", journal.listing, name="journal"),
    path("journal.csv", journal.export, name="journal_csv"),
    path("units/", alone.units, name="units"),
    path("deadlines/", complaints.deadlines, name="deadlines"),
    path("log/", log.page, name="log"),
    path("log/export", log.export, name="log_export"),
    path("log/proof", log.proof, name="log_proof"),
    path("log/key", log.add_key, name="log_key"),
    path("log/key/retire", log.retire_key, name="log_key_retire"),
    path("log/countersign", log.countersign, name="log_countersign"),
    path("escrow/", escrow.keys, name="escrow"),
    *patterns(COMPLAINT_DESKS, "complaint-desks/"),
    *tips_urls.patterns(COMPLAINTS, "complaints/"),
]
