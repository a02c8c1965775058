"""What can go wrong with sealed things; no message tells anything of what is inside."""

from __future__ import annotations


class Unopenable(ValueError):
    """It cannot be opened with this key under this label: wrong key, other place, damaged, or not sealed at all.

    One exception for all reasons, so that nobody learns by trying which part was wrong.
    """

    def __init__(self) -> None:
        super().__init__("this cannot be opened")


class Misspelt(ValueError):
    """The words cannot be a receipt or recovery key; `word` is the number, from 1, of the wrong one, if known."""

    def __init__(self, word: int | None = None) -> None:
        super().__init__("these words are misspelt")
        self.word = word


class TooLong(ValueError):
    """A text is longer than the largest size class holds."""

    def __init__(self) -> None:
        super().__init__("the text is too long")


class TipError(ValueError):
    """Something that cannot be done; carries a sentence for staff, and the field of the form that it is about."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class NotAllowed(TipError):
    """The account may not do this."""

    def __init__(self) -> None:
        super().__init__("Your account may not do this.")


class NotMember(TipError):
    """The account is no member of this desk, or not of this dialogue, or not any more."""

    def __init__(self) -> None:
        super().__init__("You are not a member here.")


class DeskClosed(TipError):
    """The desk takes nothing."""

    def __init__(self) -> None:
        super().__init__("This desk is closed.")


class DeskFull(TipError):
    """The desk has taken as many new dialogues today as it can; nothing was stored."""

    def __init__(self) -> None:
        super().__init__("This desk has taken all that it can today. Nothing was stored.")


class DialogueOver(TipError):
    """The dialogue is closed or has ended by time."""

    def __init__(self) -> None:
        super().__init__("This dialogue is over.")


class NotRecoverable(TipError):
    """Afterwards nobody might be able to open the desk's dialogues, or some of them."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(
            sentence
            or "A desk needs two members, or one with a recovery key that was typed back, or a key of the oversight "
            "body that opens everything here. Else one forgotten passphrase closes everything for ever."
        )


class WrongOffset(TipError):
    """A piece of a file does not begin where the last one ended; `expected` is where it must begin."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"The next piece of this file begins at {expected}.")
        self.expected = expected


class WrongNumber(TipError):
    """A text was sealed under a number that is not the next one's; `expected` is what it must be sealed under."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"The next text has the number {expected}.")
        self.expected = expected


class BrokenOff(TipError):
    """A file that the server seals was broken off by a crash, and other bytes were sent to the same place."""

    def __init__(self) -> None:
        super().__init__("This file was broken off. Send it again from its beginning.")


class TooLarge(TipError):
    """A file, or a piece of one, is larger than is taken."""

    def __init__(self) -> None:
        super().__init__("The file is too large.")


class TooMany(TipError):
    """The dialogue has as many texts or files as it can have."""

    def __init__(self) -> None:
        super().__init__("This dialogue is full.")


class TooManyTries(TipError):
    """Too many unknown receipts were tried in the last minute."""

    def __init__(self) -> None:
        super().__init__("Too many unknown receipts. Wait a minute.")
