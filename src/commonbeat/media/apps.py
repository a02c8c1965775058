from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "commonbeat.media"
    label = "media"
    default_auto_field = "django.db.models.BigAutoField"
