"""Addresses of the members' pages, once for each side."""

from __future__ import annotations

from django.urls import URLPattern, path

from commonbeat.web.desk import tips, tips_dialogue, tips_membership, tips_unlock
from commonbeat.web.desk.tips_side import Page, Side, page

READ = ("GET", "HEAD")
FORM = ("GET", "HEAD", "POST")
ACT = ("POST",)


def patterns(side: Side, prefix: str) -> list[URLPattern]:
    """Give the addresses of one side under a prefix such as "tips/"."""
    pages: list[tuple[str, str, Page, tuple[str, ...]]] = [
        ("home", "", tips.home, READ),
        ("desk", "<int:desk_id>/", tips.listing, READ),
        ("unlock", "<int:desk_id>/unlock/", tips_unlock.unlock, FORM),
        ("lock", "<int:desk_id>/lock/", tips_unlock.lock, ACT),
        ("stay", "<int:desk_id>/stay/", tips_unlock.stay, ACT),
        ("enrol", "<int:desk_id>/enrol/", tips_membership.enrol, FORM),
        ("key", "<int:desk_id>/key/", tips_membership.key, READ),
        ("key_act", "<int:desk_id>/key/<slug:verb>/", tips_membership.act_on_key, ACT),
        ("recover", "<int:desk_id>/recover/", tips_membership.recover, FORM),
        ("members", "<int:desk_id>/members/", tips_membership.members_page, READ),
        ("admit", "<int:desk_id>/members/<int:member_id>/admit/", tips_membership.admit, ACT),
        ("tip", "<int:desk_id>/<int:tip_id>/", tips_dialogue.tip, READ),
        ("file", "<int:desk_id>/<int:tip_id>/files/<int:file_id>/", tips_dialogue.file, READ),
        ("act", "<int:desk_id>/<int:tip_id>/<slug:verb>/", tips_dialogue.act, ACT),
    ]
    return [
        path(prefix + address, page(side.opens, side, view, *methods), name=f"sealed_{name}")
        for name, address, view, methods in pages
    ]
