from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0005_partners'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscription',
            name='asked_key',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
    ]
