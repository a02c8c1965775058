from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_broadcast")]

    operations = []
