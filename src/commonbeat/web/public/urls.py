from __future__ import annotations

from django.urls import path, re_path

from commonbeat.web.public import (
    cards,
    data,
    home,
    lookup,
    map,
    officer,
    offline,
    outbox,
    pages,
    picture,
    reports,
    safety,
    ussd,
    wizard,
)

app_name = "public"
urlpatterns = [
    path("", home.home, name="home"),
    path("report/", wizard.report_start, name="report_start"),
    path("report/done/", wizard.report_done, name="report_done"),
    path("report/offline/", outbox.offline_page, name="offline"),
    path("report/outbox/", outbox.outbox, name="outbox"),
    path("report/outbox/key", outbox.outbox_key, name="outbox_key"),
    path("report/<slug:code>/", wizard.report_form, name="report_form"),
    path("reports/", reports.report_list, name="reports"),
    path("reports/<slug:code>/", reports.report_page, name="report"),
    path("map/", map.map_page, name="map"),
    path("map/picture.png", picture.picture, name="picture"),
    path("map/safety/", safety.safety_page, name="safety"),
    path("map/safety.geojson", safety.safety_data, name="safety_data"),
    re_path(r"^map/safety/(?P<cell>[0-9a-f]{15})/$", safety.safety_place, name="safety_place"),
    path("data/", data.data_page, name="data"),
    path("officer/", officer.officer, name="officer"),
    path("lookup/", lookup.lookup, name="lookup"),
    path("language/", pages.set_language, name="set_language"),
    path("exit/", pages.leave, name="exit"),
    path("places/", pages.place_search, name="place_search"),
    path("about/anonymous/", pages.anonymous, name="anonymous"),
    path("sms/", pages.sms, name="sms"),
    path("cards/", cards.cards, name="cards"),
    path("cards/<slug:code>/", cards.card, name="card"),
    path("cards/<slug:code>/<slug:language>/", cards.card, name="card_in"),
    # With and without the slash: a provider would not follow a redirect with what was entered.
    re_path(r"^ussd/(?P<code>[a-z0-9_]{1,20})/(?P<tail>[^/]{1,200})/?$", ussd.ussd, name="ussd"),
    path("privacy/", pages.privacy, name="privacy"),
    re_path(r"^photos/(?P<token>[A-Za-z0-9_-]{22})-(?P<variant>full|thumb)\.jpg$", reports.photo, name="photo"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("manifest.webmanifest", pages.manifest, name="manifest"),
    path("sw.js", offline.service_worker, name="service_worker"),
]
