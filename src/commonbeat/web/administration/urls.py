"""Addresses of administration."""

from __future__ import annotations

from django.urls import path

from commonbeat.web.administration import (
    alert_sources,
    beats,
    channel,
    channels,
    delivery,
    partners,
    people,
    places,
    settings,
    tip_desks,
    topics,
)

app_name = "administration"
urlpatterns = [
    path("", topics.home, name="home"),
    path("topics/", topics.listing, name="topics"),
    path("topics/new/", topics.new, name="topic_new"),
    path("topics/<slug:code>/", topics.edit, name="topic_edit"),
    path("beats/", beats.listing, name="beats"),
    path("beats.geojson", beats.geojson, name="beats_geojson"),
    path("beats/new/", beats.new, name="beat_new"),
    path("beats/<int:pk>/", beats.edit, name="beat_edit"),
    path("places/", places.listing, name="places"),
    path("places/new/", places.new, name="place_new"),
    path("places/<int:pk>/", places.edit, name="place_edit"),
    path("people/", people.listing, name="people"),
    path("people/new/", people.new, name="person_new"),
    path("people/<int:pk>/", people.edit, name="person_edit"),
    path("channels/", channels.page, name="channels"),
    path("channels/<slug:code>/", channel.page, name="channel"),
    path("delivery/", delivery.page, name="delivery"),
    path("alert-sources/", alert_sources.listing, name="alert_sources"),
    path("alert-sources/new/", alert_sources.new, name="alert_source_new"),
    path("alert-sources/<int:pk>/", alert_sources.edit, name="alert_source_edit"),
    path("partners/", partners.listing, name="partners"),
    path("partners/new/", partners.new, name="partner_new"),
    path("partners/<int:pk>/", partners.page, name="partner"),
    *tip_desks.patterns(tip_desks.TIP_DESKS, "tip-desks/"),
    path("settings/", settings.listing, name="settings"),
]
