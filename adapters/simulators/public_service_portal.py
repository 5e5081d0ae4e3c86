"""The National Public Service Portal's adapter (DVCQG): a login gives a session, which every other call carries.

``POST /mapi/login`` {username, password} → {session, error_code}; ``POST /mapi/g`` {session, madonvi, service, …} where
``service`` is one of ``SERVICES``. Errors are codes in a 200. Codes other than 0 and 00 are assumed.
"""

import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import ClassVar, Final

from adapters.simulators import dossiers
from adapters.simulators import public_service_portal_dossiers as records
from adapters.simulators.json_system import Content, JsonSystem, RefusedError
from adapters.simulators.people import People
from adapters.simulators.public_service_portal_dossiers import Dossier
from adapters.simulators.wire import Answer, Received

LOGIN: Final = "login"
SYNCHRONISE: Final = "DongBoHoSoMC"
PROGRESS: Final = "CapNhatTienDoHoSoMC"
PROCEDURE: Final = "LayThuTuc"
SEARCH: Final = "TraCuuHoSo"
SERVICES: Final = (SYNCHRONISE, PROGRESS, PROCEDURE, SEARCH)

_NO_SESSION: Final = RefusedError("-1", "Phiên làm việc không hợp lệ hoặc đã hết hạn")
_NOT_ALLOWED: Final = RefusedError("02", "Đơn vị không được phép")
_EXISTS: Final = RefusedError("03", "Hồ sơ đã tồn tại")
_UNKNOWN: Final = RefusedError("04", "Hồ sơ chưa được đồng bộ")
_KEPT: Final = 10_000
_BATCH: Final = 100
"""The most dossiers in one call."""


class PublicServicePortalSimulator(JsonSystem):
    """The national portal as the units that synchronise with it see it.

    users: name → password and the unit that it may speak for; nobody by default. lifetime: seconds of a session.
    kept: code → dossier that was synchronised; those of the generated people are there from the start. steps: code →
    its progress.
    """

    PATH: ClassVar[str] = "/mapi"

    def __init__(
        self,
        people: People,
        *,
        users: dict[str, tuple[str, str]] | None = None,
        lifetime: float = 1800,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(people)
        self.users = users or {}
        self.lifetime = lifetime
        self.clock = clock
        self.sessions: dict[str, tuple[str, float]] = {}
        self.kept: dict[str, Dossier] = {}
        self.steps: dict[str, list[Content]] = {}
        self._services: dict[str, Callable[[Content], Content]] = {
            SYNCHRONISE: self._synchronise,
            PROGRESS: self._progress,
            PROCEDURE: self._procedure,
            SEARCH: self._search,
        }
        self.operations = {LOGIN: self._log_in, "g": self._serve}

    def operation(self, received: Received) -> str:
        """``login``, or the service that the body names."""
        if received.path == f"{self.PATH}/g":
            try:
                named = json.loads(received.body).get("service")
            except (ValueError, AttributeError):
                named = None
            return "g" if named not in SERVICES else str(named)
        return super().operation(received)

    def answer(self, received: Received) -> Answer:
        """The right answer."""
        if received.path != f"{self.PATH}/g":
            return super().answer(received)
        try:
            return self.carry_out(self._serve, received)
        except RefusedError as refused:
            return self.refuse(refused)

    def find(self, code: str) -> Dossier | None:
        """The dossier of a code: one that was synchronised, or a generated person's."""
        person = dossiers.owner_of(code, self.people)
        return self.kept.get(code) or (None if person is None else records.of_person(person, code))

    def forget_sessions(self) -> None:
        """As after a restart."""
        self.sessions.clear()

    def malformed(self, text: str) -> RefusedError:
        """The error for data that cannot be taken."""
        return RefusedError("01", f"Dữ liệu không hợp lệ: {text}")

    def refusal(self, refused: RefusedError) -> Content:
        """The code with a message."""
        return {"error_code": refused.code, "message": str(refused), "result": None}

    def other(self, received: Received, right: Content) -> Content:
        """The dossier of the next person, where one was looked for; a login gives somebody else's, dead session."""
        if self.operation(received) == LOGIN:
            return {**right, "session": secrets.token_hex(16)}
        if self.operation(received) == PROCEDURE:
            return {**right, "result": [_procedure(records.BIRTH, "9.999999")]}
        person = dossiers.owner_of(str(self.read(received).get("mahoso")), self.people)
        neighbour = self.people[(person.index if person else 0) + 1]
        return {**right, "result": [records.of_person(neighbour, dossiers.code_of(neighbour))]}

    def lie(self, right: Content) -> Content:
        """It worked, and what came of it is a sentence with a structure for a code."""
        return {**right, "error_code": {"ma": 0}, "session": ["x"], "result": "một hồ sơ"}

    def _log_in(self, asked: Content) -> Content:
        known = self.users.get(str(asked.get("username")))
        given = str(asked.get("password", "")).encode()
        if known is None or not hmac.compare_digest(known[0].encode(), given):
            self.answers["login refused"] += 1
            return {"session": "", "error_code": 1, "message": "Sai tài khoản hoặc mật khẩu"}
        session = secrets.token_hex(16)
        self.sessions[session] = (known[1], self.clock() + self.lifetime)
        return {"session": session, "error_code": 0}

    def _serve(self, asked: Content) -> Content:
        unit, until = self.sessions.get(str(asked.get("session")), ("", 0.0))
        if until <= self.clock():
            raise _NO_SESSION
        if asked.get("madonvi") != unit:
            raise _NOT_ALLOWED
        service = self._services.get(str(asked.get("service")))
        if service is None:
            raise self.malformed("service")
        return service(asked)

    def _synchronise(self, asked: Content) -> Content:
        updating = {"true": True, "false": False}.get(str(asked.get("isUpdating")).lower())
        if updating is None:
            raise self.malformed("isUpdating")
        given = [self._checked(records.check, one) for one in self._batch(asked)]
        for dossier in given:
            known = self.find(dossier["MaHoSo"])
            if known is None and updating:
                raise _UNKNOWN
            if known is not None and not updating:
                raise _EXISTS
        for dossier in given:
            if len(self.kept) >= _KEPT:
                del self.kept[next(iter(self.kept))]
            self.kept[dossier["MaHoSo"]] = dossier
        return {"error_code": "00", "message": "Thành công"}

    def _progress(self, asked: Content) -> Content:
        given = [self._checked(records.check_progress, one) for one in self._batch(asked)]
        for step in given:
            known = self.find(step["MaHoSo"])
            if known is None:
                raise _UNKNOWN
        for step in given:
            known = self.find(step["MaHoSo"]) or {}
            self.kept[step["MaHoSo"]] = {**known, "TrangThaiHoSo": step["TrangThai"]}
            self.steps.setdefault(step["MaHoSo"], []).append(step)
        return {"error_code": "00", "message": "Thành công"}

    def _procedure(self, asked: Content) -> Content:
        code = self.text(asked, "maTTHC", longest=20)
        found = [_procedure(code, code)] if code in records.PROCEDURES else []
        return {"error_code": 0, "message": "", "result": found}

    def _search(self, asked: Content) -> Content:
        found = self.find(self.text(asked, "mahoso", longest=50))
        return {"error_code": "0", "message": "", "result": [found] if found else []}

    def _batch(self, asked: Content) -> list[object]:
        data = asked.get("data")
        if not isinstance(data, list) or not 0 < len(data) <= _BATCH:
            raise self.malformed("data")
        return data

    def _checked(self, check: Callable[[object], Dossier], one: object) -> Dossier:
        try:
            return check(one)
        except ValueError as error:
            raise self.malformed(str(error)) from None


def _procedure(code: str, shown: str) -> Content:
    """A procedure in the portal's catalogue, whose names are in capitals."""
    name, (field, field_name) = records.PROCEDURES[code]
    return {
        "MATTHC": shown,
        "TENTTHC": name,
        "LINHVUCTHUCHIEN": [{"MALINHVUC": field, "TENLINHVUC": field_name}],
        "TRINHTUTHUCHIEN": [{"TRUONGHOP": "", "TRINHTU": [{"TENTRINHTU": "Nộp hồ sơ tại Bộ phận một cửa"}]}],
    }
