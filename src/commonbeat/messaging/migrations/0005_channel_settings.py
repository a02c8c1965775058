from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("messaging", "0004_retention")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ChannelSetting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("value_sealed", models.BinaryField()),
                ("changed_at", models.DateTimeField()),
                ("changed_by_id", models.BigIntegerField()),
            ],
        ),
    ]
