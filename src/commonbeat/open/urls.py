from __future__ import annotations

from django.urls import path

from commonbeat.open import feeds, opendata

app_name = "open"
urlpatterns = [
    path("reports.rss", feeds.reports_rss, name="reports_rss"),
    path("reports.geojson", feeds.reports_geojson, name="reports_geojson"),
    path("data/datapackage.json", opendata.datapackage, name="datapackage"),
]
