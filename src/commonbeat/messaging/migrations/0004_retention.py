from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("messaging", "0003_trust")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Silenced",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address_hash", models.BinaryField(max_length=32, unique=True)),
                ("stopped_at", models.DateTimeField(null=True)),
                ("blocked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField()),
                ("takes_texts", models.BooleanField(default=True)),
                ("withdraws", models.BooleanField(default=True)),
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="erasure", to="messaging.contact"
                    ),
                ),
            ],
        ),
        migrations.AddIndex("inbound", models.Index(fields=["received_at"], name="inbound_age")),
        migrations.AddIndex("outbound", models.Index(fields=["created_at"], name="outbound_age")),
    ]
