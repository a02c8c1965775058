"""Each process of the tests has a data folder of its own, also where several run them."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings


def test_the_settings_name_the_folder_that_this_process_made() -> None:
    assert settings.COMMONBEAT.data_dir == Path(os.environ["COMMONBEAT_DATA_DIR"])
