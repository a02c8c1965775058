"""Addresses of accounts: those of allauth that this site uses, one by one, and the invitation.

Nothing here takes an e-mail address: no reset by mail, no address book, no confirmation. What allauth adds later stays
out until somebody writes it here.
"""

from __future__ import annotations

from allauth.account import views
from django.urls import include, path

from commonbeat.web import invitation

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("invitation/<str:token>/", invitation.accept, name="account_invitation"),
    path("2fa/", include("allauth.mfa.urls")),
]
