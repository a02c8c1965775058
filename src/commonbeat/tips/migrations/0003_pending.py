from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tips", "0002_complaint_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pending",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=30)),
                ("number", models.BigIntegerField()),
                ("day", models.DateField(db_index=True)),
            ],
        ),
    ]
