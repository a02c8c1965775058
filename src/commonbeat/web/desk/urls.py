"""Addresses of the desk."""

from __future__ import annotations

from django.urls import URLPattern, path

from commonbeat.web.desk import acts, delivery, expected, lasso, map, moderation, reports

app_name = "desk"
urlpatterns: list[URLPattern] = [
    path("", reports.home, name="home"),
    path("reports/", reports.report_list, name="list"),
    path("reports/bulk/", acts.bulk, name="bulk"),
    path("reports/new/", reports.news, name="news"),
    path("measure/", acts.measure, name="measure"),
    path("reports/<int:report_id>/", reports.report, name="report"),
    path("reports/<int:report_id>/alike/", reports.alike_reports, name="alike"),
    path("reports/<int:report_id>/place.geojson", map.report_place, name="report_place"),
    path("reports/<int:report_id>/photos/<int:photo_id>/", reports.photo, name="photo"),
    path("reports/<int:report_id>/sent/<int:outbound_id>/again/", delivery.again, name="send_again"),
    path("reports/<int:report_id>/<slug:verb>/", acts.act, name="act"),
    path("moderation/", moderation.moderation, name="moderation"),
    path("moderation/<int:publication_id>/<slug:verb>/", moderation.decide, name="decide"),
    path("moderation/<int:publication_id>/photos/<int:photo_id>/", moderation.photo, name="held_photo"),
    path("expected/", expected.expected, name="expected"),
    path("expected/<slug:code>/enrol/", expected.enrol_reporters, name="expected_enrol"),
    path("expected/<int:reporter_id>/remove/", expected.remove_reporter, name="expected_remove"),
    path("map/", map.map_page, name="map"),
    path("map/points.json", map.map_points, name="map_points"),
    path("map/select/", lasso.select, name="map_select"),
]
