from __future__ import annotations

from django.urls import path

from commonbeat.open import cap, feeds, log, opendata

app_name = "open"
urlpatterns = [
    path("reports.rss", feeds.reports_rss, name="reports_rss"),
    path("reports.geojson", feeds.reports_geojson, name="reports_geojson"),
    path("alerts/cap/certificate.pem", cap.certificate, name="cap_certificate"),
    path("alerts/cap/<str:identifier>.xml", cap.message, name="cap_message"),
    path("alerts/feed.atom", cap.alerts_atom, name="alerts_atom"),
    path("alerts/feed.rss", cap.alerts_rss, name="alerts_rss"),
    path("alerts/look-outs.atom", cap.look_outs_atom, name="look_outs_atom"),
    path("log/checkpoint", log.checkpoint, name="log_checkpoint"),
    path("log/countersigned", log.countersigned, name="log_countersigned"),
    path("log/key", log.key, name="log_key"),
    path("log/tile/<path:path>", log.tile, name="log_tile"),
    path("data/datapackage.json", opendata.datapackage, name="datapackage"),
]
