from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0002_translator'),
    ]

    operations = [
        migrations.AddField(
            model_name='unit',
            name='releases_alone',
            field=models.BooleanField(default=False),
        ),
    ]
