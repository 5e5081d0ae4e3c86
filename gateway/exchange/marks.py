"""Under which pseudonyms a record is found."""

from gateway.ledger.pseudonym import Subject, pseudonym

_MOST = 2048
_PERSON, _OFFICER, _CASE, _MESSAGE, _CITIZEN = (
    Subject.PERSON.value,
    Subject.OFFICER.value,
    Subject.CASE.value,
    Subject.MESSAGE.value,
    Subject.CITIZEN.value,
)

Mark = tuple[str, bytes]
"""What a pseudonym stands for, and the pseudonym."""


def citizen_mark(key: bytes, epoch: str, number: str) -> bytes:
    """Under which a person's own list finds a record of an epoch. key: the gateway's for such lists. That one is
    kept, as no epoch's is, so that lists can go back further than the epochs in memory.
    """
    return pseudonym(key, Subject.CITIZEN, epoch, number)


class Marks:
    """Pseudonyms under one epoch's key. An officer at work on a case comes with call after call, so the last few
    thousand officers and cases are remembered. key: the epoch's pseudonym key. epoch: its id. citizens: the key for
    citizens' own lists; None: there are none.
    """

    def __init__(self, key: bytes, epoch: str = "", citizens: bytes | None = None) -> None:
        self.key = key
        self._epoch = epoch
        self._citizens = citizens
        self._known: dict[tuple[str, ...], Mark] = {}

    def of(
        self, persons: tuple[str, ...], officer: tuple[str, str] | None, case: str | None, message: str | None = None
    ) -> tuple[Mark, ...]:
        """The pseudonyms of persons (numbers), an officer (the client and the officer's code), a case (its code) and
        a message (the caller's id of it).
        """
        marks = [(_PERSON, pseudonym(self.key, Subject.PERSON, person)) for person in persons]
        if officer is not None:
            marks.append(self._known.get(officer) or self._learn(officer, _OFFICER, Subject.OFFICER))
        if case is not None:
            known = (case,)
            marks.append(self._known.get(known) or self._learn(known, _CASE, Subject.CASE))
        if message is not None:
            marks.append((_MESSAGE, pseudonym(self.key, Subject.MESSAGE, message)))
        return tuple(marks)

    def listed(self, persons: tuple[str, ...]) -> tuple[Mark, ...]:
        """The marks by which persons find a record in their own lists, in their order."""
        key = self._citizens
        return () if key is None else tuple([(_CITIZEN, citizen_mark(key, self._epoch, each)) for each in persons])

    def _learn(self, parts: tuple[str, ...], name: str, subject: Subject) -> Mark:
        if len(self._known) >= _MOST:
            self._known.clear()
        mark = self._known[parts] = (name, pseudonym(self.key, subject, *parts))
        return mark
