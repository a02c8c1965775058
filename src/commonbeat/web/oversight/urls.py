"""Addresses of the oversight body."""

from __future__ import annotations

from django.urls import path

from commonbeat.web.oversight import journal

app_name = "oversight"
urlpatterns = [
    path("", journal.home, name="home"),
    path("journal/", journal.listing, name="journal"),
    path("journal.csv", journal.export, name="journal_csv"),
]
