from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "commonbeat.web"
    label = "web"
