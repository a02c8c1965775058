from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reports", "0004_proxies"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations: ClassVar = [
        migrations.AddField("report", "emptied_at", models.DateTimeField(null=True)),
        migrations.AddField("publication", "counted_sender", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "report",
            models.Index(fields=["topic", "changed_at"], name="report_kept", condition=Q(emptied_at__isnull=True)),
        ),
        migrations.AddIndex(
            "report",
            models.Index(fields=["emptied_at"], name="report_emptied", condition=Q(emptied_at__isnull=False)),
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=200)),
                ("until", models.DateField(db_index=True)),
                ("placed_at", models.DateTimeField()),
                ("erase_then", models.BooleanField(default=False)),
                (
                    "placed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "report",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="hold", to="reports.report"
                    ),
                ),
            ],
        ),
    ]
