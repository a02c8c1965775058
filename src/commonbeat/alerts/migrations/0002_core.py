from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]

    operations = [
        migrations.AddField("fanout", "passed", models.PositiveIntegerField(default=0)),
        migrations.AddField("fanout", "asleep", models.PositiveIntegerField(default=0)),
        migrations.AddField("fanout", "silent", models.PositiveIntegerField(default=0)),
        migrations.AddField("fanout", "recalled", models.PositiveIntegerField(default=0)),
        migrations.AddIndex(
            "fanout",
            models.Index(
                fields=["id"],
                name="fan_out_open",
                condition=models.Q(("done_at", None), ("stopped_at", None)),
            ),
        ),
    ]
