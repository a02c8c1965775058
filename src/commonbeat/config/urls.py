"""Addresses of the site, one line per audience."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("commonbeat.web.public.urls")),
    path("", include("commonbeat.open.urls")),
    path("desk/", include("commonbeat.web.desk.urls")),
    path("oversight/", include("commonbeat.web.oversight.urls")),
    path("translate/", include("commonbeat.web.translating.urls")),
    path("administration/", include("commonbeat.web.administration.urls")),
    path("account/", include("commonbeat.web.account_urls")),
    path("demo/", include("commonbeat.web.demo.urls")),
]

handler400 = "commonbeat.web.errors.bad_request"
handler403 = "commonbeat.web.errors.forbidden"
handler404 = "commonbeat.web.errors.not_found"
handler500 = "commonbeat.web.errors.server_error"
