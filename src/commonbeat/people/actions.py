"""Every change of accounts and units; each writes one journal entry, with ids and roles only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.ids import new_token
from commonbeat.journal.actions import append
from commonbeat.people.models import Invitation, Role, Unit, User
from commonbeat.people.permissions import Permission, may
from commonbeat.people.queries import invitation_hash, open_invitation, releasers_of

STAFF_CREATED = "people.staff_created"
ROLE_CHANGED = "people.role_changed"
DEACTIVATED = "people.deactivated"
REACTIVATED = "people.reactivated"
FACTOR_RESET = "people.factor_reset"
INVITED = "people.invited"
INVITATION_ACCEPTED = "people.invitation_accepted"
LANGUAGES_SET = "people.languages_set"
UNIT_CREATED = "people.unit_created"
FALLBACK_CHOSEN = "people.fallback_chosen"
ALONE_ALLOWED = "people.alone_allowed"
ALONE_ENDED = "people.alone_ended"

# Long enough for a weekend, short enough that a forgotten letter opens nothing.
INVITATION_LASTS = timedelta(days=3)
# Roles that work a desk, which is always a unit's.
ROLES_WITH_UNIT = frozenset({Role.OFFICER, Role.SUPERVISOR})
# One to read and one to write.
FEWEST_LANGUAGES = 2


class PeopleError(ValueError):
    """Carry a sentence, and the name of the form field that it is about."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class InvitationError(ValueError):
    """An invitation that opens nothing: unknown, used, replaced, run out, or of a closed account."""


def create_staff(
    *,
    username: str,
    password: str,
    role: Role,
    unit_id: int | None,
    display_name: str = "",
    language: str = "",
    actor_id: int | None,
    now: datetime,
) -> User:
    """Make an account with a password, from the command line only; PeopleError when something cannot be used.

    A page must not offer it: who knows another's password can act under that name. Pages use `invite_staff`.
    """
    user = _new_staff(username, role, unit_id, display_name, language)
    _check_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        _save_new(user)
        append(kind=STAFF_CREATED, subject_id=user.pk, now=now, actor_id=actor_id, data={"role": role.value})
    return user


def invite_staff(
    *,
    username: str,
    role: Role,
    unit_id: int | None,
    display_name: str = "",
    language: str = "",
    languages_read: Sequence[str] = (),
    actor_id: int,
    now: datetime,
) -> tuple[User, str]:
    """Make an account whose owner chooses the password; return it and the token of the link, which is not kept.

    A translator needs `languages_read`, two at least; of others they are not kept.
    """
    user = _new_staff(username, role, unit_id, display_name, language)
    if role == Role.TRANSLATOR:
        user.languages_read = _languages(languages_read)
    user.set_unusable_password()
    with transaction.atomic():
        _save_new(user)
        append(kind=STAFF_CREATED, subject_id=user.pk, now=now, actor_id=actor_id, data={"role": role.value})
        token = _invite(user, actor_id=actor_id, now=now)
    return user, token


def accept_invitation(*, token: str, password: str, now: datetime) -> User:
    """Give an account the password that its owner chose; the link is then used up.

    InvitationError when the link opens nothing, PeopleError when the password cannot be used.
    """
    with transaction.atomic():
        found = open_invitation(token, now=now)
        if found is None:
            raise InvitationError
        user = User.objects.select_for_update().get(pk=found.user_id)
        _check_password(password, user)
        # Of two who send the same link at once, one deletes it.
        if not Invitation.objects.filter(pk=found.pk, token_hash=invitation_hash(token)).delete()[0]:
            raise InvitationError
        user.set_password(password)
        user.save(update_fields=["password"])
        append(kind=INVITATION_ACCEPTED, subject_id=user.pk, now=now, actor_id=user.pk)
    return user


def change_role(*, user_id: int, role: Role, unit_id: int | None, actor_id: int | None, now: datetime) -> None:
    """Give an account another role or unit, at once in every session.

    PeopleError for the own account and for the last administrator.
    """
    _not_oneself(user_id, actor_id)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        unit_id = _unit_for(role, unit_id)
        if user.role == role and user.unit_id == unit_id:
            return
        if role != Role.ADMINISTRATOR:
            _keep_one_administrator(user)
        before = user.role
        user.role, user.unit_id = role, unit_id
        user.save(update_fields=["role", "unit"])
        append(
            kind=ROLE_CHANGED,
            subject_id=user.pk,
            now=now,
            actor_id=actor_id,
            data={"from": before, "to": role.value, "unit": unit_id},
        )


def set_languages_read(*, user_id: int, languages: Sequence[str], actor_id: int | None, now: datetime) -> None:
    """Say between which of the site's languages a volunteer translates; PeopleError with fewer than two."""
    codes = _languages(languages)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if user.languages_read == codes:
            return
        user.languages_read = codes
        user.save(update_fields=["languages_read"])
        append(kind=LANGUAGES_SET, subject_id=user.pk, now=now, actor_id=actor_id, data={"languages": " ".join(codes)})


def deactivate(*, user_id: int, actor_id: int | None, now: datetime) -> None:
    """Close an account, at once in every session; what it did stays.

    PeopleError for the own account and for the last administrator.
    """
    _not_oneself(user_id, actor_id)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if not user.is_active:
            return
        _keep_one_administrator(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        Invitation.objects.filter(user=user).delete()
        append(kind=DEACTIVATED, subject_id=user.pk, now=now, actor_id=actor_id)
    _end_sessions(user, now)


def reactivate(*, user_id: int, actor_id: int | None, now: datetime) -> None:
    """Open a closed account again."""
    with transaction.atomic():
        if User.objects.filter(pk=user_id, is_active=False).update(is_active=True):
            append(kind=REACTIVATED, subject_id=user_id, now=now, actor_id=actor_id)


def reset_second_factor(*, user_id: int, actor_id: int | None, now: datetime) -> str:
    """Forget the second factors and the password of an account, end its sessions, and return a new link's token.

    The password goes too: else whoever knows it, and has the second factor reset, is in. The owner notices, for the
    old one no longer works. PeopleError for the own and for a closed account.
    """
    _not_oneself(user_id, actor_id)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if not user.is_active:
            raise PeopleError("", _("This account is closed. Open it first."))
        forgotten, _each = Authenticator.objects.filter(user=user).delete()
        if forgotten or user.has_usable_password():
            user.set_unusable_password()
            user.save(update_fields=["password"])
            append(kind=FACTOR_RESET, subject_id=user.pk, now=now, actor_id=actor_id, data={"role": user.role})
        token = _invite(user, actor_id=actor_id, now=now)
    _end_sessions(user, now)
    return token


def create_unit(*, name: str, is_fallback: bool = False, actor_id: int | None, now: datetime) -> Unit:
    """Make a unit; the first one of a site becomes the fallback desk."""
    name = name.strip()
    if not name or len(name) > 120:
        raise PeopleError("name", _("Give the unit a name of at most 120 characters."))
    with transaction.atomic():
        if Unit.objects.filter(name__iexact=name).exists():
            raise PeopleError("name", _("There is a unit with this name already."))
        unit = Unit.objects.create(name=name)
        append(kind=UNIT_CREATED, subject_id=unit.pk, now=now, actor_id=actor_id)
        if is_fallback or not Unit.objects.filter(is_fallback=True).exists():
            choose_fallback(unit_id=unit.pk, actor_id=actor_id, now=now)
            unit.is_fallback = True
    return unit


def choose_fallback(*, unit_id: int, actor_id: int | None, now: datetime) -> None:
    """Make a unit's desk the one for what no beat contains."""
    with transaction.atomic():
        Unit.objects.exclude(pk=unit_id).filter(is_fallback=True).update(is_fallback=False)
        if Unit.objects.filter(pk=unit_id, is_fallback=False).update(is_fallback=True):
            append(kind=FALLBACK_CHOSEN, subject_id=unit_id, now=now, actor_id=actor_id)


def set_releases_alone(*, unit_id: int, is_alone: bool, actor: User, now: datetime) -> None:
    """Say whether the one person of a unit releases urgent alerts alone, or needs a second one.

    PeopleError unless the actor is of the oversight body, and for a unit that has not one person who releases alerts.
    """
    if not may(actor, Permission.SET_ALONE):
        raise PeopleError("", "Only the oversight body decides this.")
    with transaction.atomic():
        unit = Unit.objects.select_for_update().filter(pk=unit_id).first()
        if unit is None:
            raise PeopleError("", "There is no such unit.")
        if unit.releases_alone == is_alone:
            return
        if is_alone and (people := releasers_of(unit.pk)) != 1:
            raise PeopleError("", f"{people} accounts of {unit.name} may release alerts. This is for units with one.")
        unit.releases_alone = is_alone
        unit.save(update_fields=["releases_alone"])
        append(kind=ALONE_ALLOWED if is_alone else ALONE_ENDED, subject_id=unit.pk, now=now, actor_id=actor.pk)


def _new_staff(username: str, role: Role, unit_id: int | None, display_name: str, language: str) -> User:
    username = username.strip()
    if not username or len(username) > 150:
        raise PeopleError("username", _("Choose a user name of at most 150 characters."))
    user = User(
        username=User.normalize_username(username),
        role=role,
        unit_id=_unit_for(role, unit_id),
        display_name=display_name.strip()[:80],
        language=language,
    )
    try:
        User.username_validator(user.username)
    except ValidationError:
        raise PeopleError("username", _("A user name has letters, digits and @ . + - _ only.")) from None
    if role == Role.RESIDENT:
        raise PeopleError("role", _("Residents make their own accounts."))
    return user


def _languages(chosen: Sequence[str]) -> list[str]:
    codes = [code for code in settings.COMMONBEAT.languages if code in chosen]
    if len(codes) < FEWEST_LANGUAGES:
        raise PeopleError("languages_read", _("Choose at least two languages: one to read and one to write."))
    return codes


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PeopleError("password", " ".join(error.messages)) from None


def _save_new(user: User) -> None:
    if User.objects.filter(username__iexact=user.username).exists():
        raise PeopleError("username", _("This user name is taken."))
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise PeopleError("username", _("This user name is taken.")) from None


def _invite(user: User, *, actor_id: int | None, now: datetime) -> str:
    token = new_token()
    Invitation.objects.update_or_create(
        user=user, defaults={"token_hash": invitation_hash(token), "expires_at": now + INVITATION_LASTS}
    )
    append(kind=INVITED, subject_id=user.pk, now=now, actor_id=actor_id)
    return token


def _not_oneself(user_id: int, actor_id: int | None) -> None:
    # Else an administrator, who reads no reports, makes a supervisor of the own account.
    if user_id == actor_id:
        raise PeopleError("role", _("Nobody changes the own account here. Ask another administrator."))


def _unit_for(role: Role, unit_id: int | None) -> int | None:
    if role in ROLES_WITH_UNIT:
        if unit_id is None or not Unit.objects.filter(pk=unit_id).exists():
            raise PeopleError("unit", _("Choose the unit whose desk this person works."))
        return unit_id
    # Other roles see no desk, so a unit would say something that is not so.
    return None


def _keep_one_administrator(user: User) -> None:
    others = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=user.pk)
    if user.role == Role.ADMINISTRATOR and user.is_active and not others.exists():
        raise PeopleError("role", _("This is the only administrator. Make another one first."))


def _end_sessions(user: User, now: datetime) -> None:
    # They open nothing any more; this is so that none is left. Outside the transaction, for it reads every session.
    theirs = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=now).iterator()
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    Session.objects.filter(session_key__in=theirs).delete()
