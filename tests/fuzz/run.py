"""Fuzz one target for some seconds: python -m tests.fuzz.run TARGET SECONDS [FOLDER].

What was found lies in FOLDER, and the exit code is not 0. A longer run: make fuzz SECONDS=600.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import FunctionType

os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
os.environ["COMMONBEAT_SECRET_KEY"] = "a key for tests only, of sufficient length"

# In which modules, and those below them, the search sees where it has got to.
WATCHED = {
    "sms": ("commonbeat.intake.dialogue", "commonbeat.intake.commands", "commonbeat.intake.placing"),
    "cap": ("commonbeat.alerts.cap_reading", "commonbeat.alerts.feed_reading"),
    "mail": ("commonbeat.channels.email",),
    "table": ("commonbeat.cli.imports.tables",),
    "geojson": ("commonbeat.cli.imports.features",),
    "receipt": ("commonbeat.tips.receipts", "commonbeat.tips.syllables"),
    "boxes": ("commonbeat.tips.padding", "commonbeat.tips.envelope", "commonbeat.tips.texts"),
    "sealed_file": ("commonbeat.tips.files", "commonbeat.tips.padding"),
    "multipart": ("commonbeat.web.public.tip_upload", "django.http.multipartparser"),
    "picture": ("commonbeat.media.images",),
}


def functions_of(watched: tuple[str, ...]) -> list[FunctionType]:
    """Give the functions and methods of modules that are imported by now."""
    found: list[FunctionType] = []
    for name, module in sorted(sys.modules.items()):
        if any(name == one or name.startswith(f"{one}.") for one in watched):
            classes = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == name]
            for holder in (module, *classes):
                found += [
                    each for each in vars(holder).values() if isinstance(each, FunctionType) and each.__module__ == name
                ]
    return found


def main(name: str, seconds: int, folder: Path) -> None:
    """Begin with the seeds; atheris ends the process."""
    import atheris
    import django

    os.environ["COMMONBEAT_DATA_DIR"] = str(folder)
    django.setup()
    from tests.fuzz.seeds import SEEDS
    from tests.fuzz.targets import TARGETS

    # Not instrument_imports, which takes whole packages, and half a minute for this one.
    for function in functions_of(WATCHED[name]):
        atheris.instrument_func(function)
    seeds = folder / "seeds"
    seeds.mkdir(exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (seeds / str(number)).write_bytes(seed)
    arguments = [f"-max_total_time={seconds}", "-seed=1", "-max_len=4096", "-timeout=10", "-rss_limit_mb=1024"]
    found = f"-artifact_prefix={folder}/"
    atheris.Setup([sys.argv[0], *arguments, "-print_final_stats=1", found, str(seeds)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="fuzz-")))
