from __future__ import annotations

from django.urls import path

from commonbeat.web.demo import views

app_name = "demo"
urlpatterns = [
    path("phone/", views.phone, name="phone"),
    path("phone/<int:number>/", views.phone, name="phone_of"),
]
