"""Addresses of the volunteers who translate."""

from __future__ import annotations

from django.urls import path

from commonbeat.web.translating import queue

app_name = "translating"
urlpatterns = [
    path("", queue.home, name="home"),
    path("next/", queue.take, name="next"),
    path("<int:translation_id>/<slug:verb>/", queue.act, name="act"),
]
