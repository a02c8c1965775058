"""Tips: what sealing and opening costs, and how fast and in how little memory a file is sealed.

    make bench NAME=tips      a file of 1 GB      QUICK=1 for 64 MB

The bytes alone, and the list of a desk with 1,000 tips in an SQLite file of its own. Prints a table and, as its last
line, one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from commonbeat.tips import files, members, receipts, texts, tipkeys
from commonbeat.tips.keys import KeyPair, new_key_pair

MEMBERS, LISTED = 10, 1_000
PHRASE = "four rather short words"
FILE_MB, QUICK_FILE_MB = 1_000, 64
TIP = bytes(16)
TEXT = "Te ura, pas mesnatës: " * 200
WANTED = {"seal_10_ms": 30.0, "open_ms": 10.0, "file_mb_per_s": 150.0, "file_rss_mb": 64.0, "list_1000_ms": 200.0}


def main() -> None:
    """Measure everything, print."""
    quick = bool(os.environ.get("QUICK"))
    found = dialogue(20 if quick else 200) | passphrase(2 if quick else 5)
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        found |= file_of(QUICK_FILE_MB if quick else FILE_MB, Path(folder))
        found |= part("list", Path(folder) / "site", Path(os.devnull))
    print(f"{'':20s} {'measured':>12s} {'wanted':>10s}")
    for name, value in found.items():
        goal = WANTED.get(name)
        compared = "" if goal is None else f" {'≥' if name.endswith('per_s') else '≤'} {goal:8.1f}"
        print(f"{name:20s} {value:12.3f}{compared}")
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


def dialogue(times: int) -> dict[str, float]:
    """Seal a tip of 4 kB for ten members and its source, and open it as a member; medians.

    Sealing: draw the receipt, derive both from it, make the tip's key and its eleven boxes, seal the text. Opening,
    within a session: join the halves of the member's key, open the tip's key, open the text.
    """
    desk = {secrets.token_bytes(16): new_key_pair() for _ in range(MEMBERS)}
    publics = {member: own.public for member, own in desk.items()}
    (member, own), *_ = desk.items()
    text = TEXT[:4_000]
    halves = members.split_key(own, member=member)

    def seal() -> tuple[tipkeys.Wrapped, bytes]:
        receipt = receipts.new_receipt()
        receipts.look_up(receipt)
        pair, kept = tipkeys.new_tip_key(TIP, members=publics, source_public=receipts.source_pair(receipt).public)
        return kept, texts.seal_to_desk(text, tip=TIP, number=0, tip_public=pair.public)

    kept, box = seal()

    def read() -> str:
        held = members.join_key(*halves, member=member, public=own.public)
        key = tipkeys.open_as_member(kept.for_members[member], tip=TIP, member=member, own=held, tip_public=kept.public)
        return texts.open_to_desk(box, tip=TIP, number=0, tip_key=key)

    assert read() == text
    return {"seal_10_ms": median_ms(seal, times), "open_ms": median_ms(read, times)}


def passphrase(times: int) -> dict[str, float]:
    """Open a member's key with the passphrase: the one Argon2id of a session."""
    own: KeyPair = new_key_pair()
    wrapped = members.wrap_by_passphrase(own, member=TIP, passphrase=PHRASE)

    def unlock() -> KeyPair:
        return members.open_by_passphrase(wrapped, member=TIP, passphrase=PHRASE, public=own.public)

    return {"passphrase_ms": median_ms(unlock, times)}


def median_ms(what: Callable[[], object], times: int) -> float:
    """Give the median of so many runs, after one that does not count."""
    what()
    waits = []
    for _ in range(times):
        begun = time.perf_counter()
        what()
        waits.append((time.perf_counter() - begun) * 1000)
    return statistics.median(waits)


def file_of(megabytes: int, folder: Path) -> dict[str, float]:
    """Seal a file on disk into another (the median of three), and open it again, each time in a process of its own."""
    source = folder / "photo"
    with source.open("wb") as handle:
        for _ in range(megabytes):
            handle.write(secrets.token_bytes(1_000_000))
    # What the system still has to write of it would be measured with the first part.
    os.sync()
    runs = [part("seal-file", source, folder / "sealed") for _ in range(3)]
    found = {"s": statistics.median(run["s"] for run in runs), "rss_mb": max(run["rss_mb"] for run in runs)}
    opened = part("open-file", folder / "sealed", Path(os.devnull))
    assert opened["bytes"] == megabytes * 1_000_000
    size = (folder / "sealed").stat().st_size
    return {
        "file_mb_per_s": megabytes / found["s"],
        "file_rss_mb": found["rss_mb"],
        "file_open_mb_per_s": megabytes / opened["s"],
        "file_open_rss_mb": opened["rss_mb"],
        "file_grows_percent": (size / (megabytes * 1_000_000) - 1) * 100,
    }


def listing(folder: Path) -> dict[str, float]:
    """List a desk with 1,000 waiting tips, each with copies of its own and boxes for ten members; the median."""
    folder.mkdir()
    os.environ |= {"COMMONBEAT_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "commonbeat.config.settings"}
    os.environ.pop("COMMONBEAT_DATABASE_URL", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from commonbeat.foundation import clock
    from commonbeat.people.models import Role, User
    from commonbeat.tips import queries
    from commonbeat.tips.actions import desks, membership, submitting

    now = clock.now()
    manager = User.objects.create_user("manager", role=Role.ADMINISTRATOR)
    desk = desks.make_desk(names={"": "Desk"}, kind="tips", actor=manager, now=now, intake_cap=LISTED)
    cost, seats = members.Cost(passes=1, lanes=1, memory_kib=64), []
    for number in range(MEMBERS):
        user = User.objects.create_user(f"member-{number}", role=Role.OFFICER)
        membership.name_member(desk_id=desk.pk, user_id=user.pk, actor=manager, now=now)
        done = membership.enrol_member(desk_id=desk.pk, user=user, passphrase=PHRASE, now=now, cost=cost)
        seats.append((done.member, user, queries.unlock(done.member, PHRASE)))
        first, by, pair = seats[0]
        if number:
            membership.add_member(member_id=done.member.pk, by_member_id=first.pk, user=by, pair=pair, now=now)
    desks.open_desk(desk_id=desk.pk, actor=manager, now=now)
    begun = time.perf_counter()
    for number in range(LISTED):
        submitting.submit_text(desk_id=desk.pk, text=f"{TEXT} {number}", now=now)
    stored = (time.perf_counter() - begun) * 1000 / LISTED
    member = seats[-1][0]
    member.refresh_from_db()

    def look() -> None:
        assert len(queries.waiting(member, limit=LISTED)) == LISTED

    return {"list_1000_ms": median_ms(look, 5), "submit_stored_ms": stored}


def part(name: str, source: Path, target: Path) -> dict[str, float]:
    """Run one part in a process of its own, so that its memory is its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--part", name, str(source), str(target)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=600)
    return {key: float(value) for key, value in json.loads(done.stdout.splitlines()[-1]).items()}


def run_part(name: str, source: Path, target: Path) -> None:
    """Seal or open a file under a key of zeros, and tell the time and all the memory that the process has held."""
    key, length, begun = bytes(32), 0, time.perf_counter()
    with source.open("rb") as read, target.open("wb") as write:
        if name == "seal-file":
            length = files.seal_file(read, write, key, tip=TIP, number=0)
        else:
            for block in files.opened_blocks(read, key, tip=TIP, number=0):
                write.write(block)
                length += len(block)
    seconds = time.perf_counter() - begun
    # VmHWM begins anew with the process; ru_maxrss would carry over what the parent had.
    most = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert most is not None
    print(json.dumps({"s": seconds, "rss_mb": int(most[1]) / 1024, "bytes": length}))


if __name__ == "__main__":
    if sys.argv[1:3] == ["--part", "list"]:
        print(json.dumps(listing(Path(sys.argv[3]))))
    elif sys.argv[1:2] == ["--part"]:
        run_part(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
