from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("maps", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rated",
            fields=[
                ("publication_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("topic_id", models.BigIntegerField()),
                ("cell", models.BigIntegerField()),
                ("day", models.IntegerField()),
                ("ratings", models.JSONField(default=dict)),
                ("source", models.BigIntegerField(null=True)),
                ("fewest", models.PositiveIntegerField(default=3)),
                ("is_single", models.BooleanField()),
                ("is_drawn", models.BooleanField(default=False)),
                ("due_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_drawn", False), ("is_single", False)),
                        fields=["topic_id", "cell"],
                        name="rated_undrawn",
                    ),
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="rated_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RatingSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic_id", models.BigIntegerField()),
                ("cell", models.BigIntegerField()),
                ("period", models.IntegerField()),
                ("parameter", models.CharField(max_length=40)),
                ("is_drawn", models.BooleanField()),
                ("n", models.IntegerField()),
                ("total", models.FloatField()),
                ("squares", models.FloatField()),
                ("oldest", models.IntegerField()),
                ("newest", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("topic_id", "cell", "period", "parameter", "is_drawn"),
                        name="one_rating_sum",
                    )
                ],
            },
        ),
    ]
