"""A first mapping file out of a contract: every operation, every field that the contract says enough about."""

import re
from collections.abc import Iterator

from msgspec import Struct

from adapters.kit import toml
from adapters.kit.contract import Contract, Field, Kind, Leaf, Operation, leaves
from adapters.kit.names import Meaning, code, distinct, folded, meaning
from adapters.kit.naming import TEXT, Named, name_answer, name_request

_WRITABLE = re.compile(r"[^/\s]+")
_READING = re.compile(
    "get|list|find|search|lookup|query|read|fetch|check|verif|valid|calc|count|describe|status|track|inquir|"
    "tracuu|lay|timkiem|xacthuc|xacminh|kiemtra|danhsach|thongtin|chitiet|doc|"
    "busca|consulta|obtem|obter|lista|obtener"
)


class Drafted(Struct, frozen=True, kw_only=True):
    """An operation with the names that it has here. path: of the service. reads: whether it looks like a look-up."""

    operation: Operation
    code: str
    path: str
    request: tuple[Named, ...]
    answer: tuple[Named, ...]
    reads: bool


class Line(Struct, frozen=True, kw_only=True):
    """What became of one leaf of the contract. side: request or answer. element: its pointer here. lost: why not."""

    operation: str
    side: str
    path: str
    element: str = ""
    lost: str = ""


def draft(contract: Contract, only: tuple[str, ...] = ()) -> tuple[Drafted, ...]:
    """The operations that can be called. only: their names; all if empty. Raises ValueError for an unknown one."""
    known = {each.name for each in contract.operations}
    missing = [name for name in only if name not in known]
    if missing:
        raise ValueError(f"there is no operation {missing[0]}; there are {', '.join(sorted(known))}")
    chosen = [each for each in contract.operations if not each.unusable and (not only or each.name in only)]
    if not chosen:
        reasons = "; ".join(f"{each.name}: {each.unusable}" for each in contract.operations if each.unusable)
        raise ValueError(f"no operation can be called ({reasons})")
    taken: set[str] = set()
    return tuple(_drafted(each, distinct(code(each.name), taken), alone=len(chosen) == 1) for each in chosen)


def _drafted(operation: Operation, name: str, *, alone: bool) -> Drafted:
    answer = name_answer(operation)
    reads = operation.method == "GET" or _READING.search(folded(operation.name)) is not None
    return Drafted(
        operation=operation,
        code=name,
        path="" if alone else f"/{name}",
        request=name_request(operation),
        answer=answer,
        reads=reads and any(_usable(answer)),
    )


def lines(drafted: tuple[Drafted, ...], contract: Contract) -> Iterator[Line]:
    """Every leaf of the operations, mapped or lost; and the operations that cannot be called."""
    for each in drafted:
        for side, named in (("request", each.request), ("answer", each.answer)):
            yield from _lines(each.operation.name, side, named, "", "")
    for operation in contract.operations:
        if operation.unusable:
            for side, fields in (("request", operation.request), ("answer", operation.answer)):
                for leaf in leaves(fields):
                    yield Line(operation=operation.name, side=side, path=leaf.path, lost=operation.unusable)


def _lines(operation: str, side: str, named: tuple[Named, ...], path: str, pointer: str) -> Iterator[Line]:
    for each in named:
        step = path if each.field.name == TEXT else f"{path}/{_shown(each.field)}".lstrip("/")
        here = pointer + "".join(f"/{one}" for one in each.element) + ("/*" if each.field.repeated else "")
        if each.field.lost or (lost := lost_here(each)):
            for more in [f"/{leaf.path}" for leaf in leaves(each.field.fields)] or [""]:
                yield Line(operation=operation, side=side, path=step + more, lost=each.field.lost or lost)
        elif each.form == "shape":
            yield from _lines(operation, side, each.fields, step, here)
        elif each.parts:
            for part, name in each.parts.items():
                yield Line(operation=operation, side=side, path=f"{step}/{name}", element=f"{here}/{part}")
        else:
            yield Line(operation=operation, side=side, path=step, element=here or f"({each.source})")


def _shown(field: Field) -> str:
    return Leaf(way=(field,)).path


def lost_here(named: Named) -> str:
    """Why the mapping language does not carry a field; ``""`` where it does."""
    if named.field.kind is Kind.GROUP and not named.field.fields:
        return "an element without content: only its presence says something"
    if named.field.name and not _WRITABLE.fullmatch(named.field.name):
        return "a name with white space or / in it"
    return ""


def _usable(named: tuple[Named, ...]) -> Iterator[Named]:
    for each in named:
        if not each.field.lost and not lost_here(each):
            if each.form == "shape":
                yield from _usable(each.fields)
            else:
                yield each


# -- the file ----------------------------------------------------------------------------------------------------------


class MappingText:
    """Writes the mapping. contract_file: as the mapping names it. schemas: code → file names of request and answer."""

    def __init__(self, contract: Contract, drafted: tuple[Drafted, ...], contract_file: str, service: str) -> None:
        self._contract = contract
        self._drafted = drafted
        self._file = contract_file
        self._service = service
        self._tables: list[str] = []
        self._taken: set[str] = set()

    def text(self) -> str:
        """The whole file."""
        self._taken = {each.code for each in self._drafted}
        for each in self._drafted:
            self._operation(each)
        head = [
            toml.comment(
                f"Written by motlan adapter new from {self._file}: a first mapping, to be read and corrected."
            ),
            toml.comment("docs/mapping.md is the language; motlan adapter test runs it against samples/."),
            "",
            f"title = {toml.text(self._contract.title or self._service)}",
            f"source = {toml.text(f'{self._file}, as its provider publishes it')}",
            "",
            "[contract]",
            f"protocol = {toml.text('soap' if self._contract.soap else 'rest')}",
        ]
        if self._contract.soap:
            head.append(f"wsdl = {toml.text(self._file)}")
        return "\n".join([*head, *self._tables, *self._lost()]) + "\n"

    def _lost(self) -> list[str]:
        found = [each for each in lines(self._drafted, self._contract) if each.lost]
        unusable = [each for each in self._contract.operations if each.unusable]
        if not found and not unusable:
            return []
        noted = ["", toml.comment("Lost: what the contract has and this mapping does not carry.")]
        noted += [toml.comment(f"  {each.name}: {each.unusable}") for each in unusable]
        noted += [toml.comment(f"  {each.operation} {each.side} {each.path}: {each.lost}") for each in found]
        return noted

    def _operation(self, each: Drafted) -> None:
        operation = each.operation
        asks = any(_usable(each.request))
        answers = any(_usable(each.answer))
        if asks:
            self._request(each.code, each.request, each)
        if answers:
            self._shape(each.code, each.answer, f"{self._service}-{each.code}.response.json")
        table = ["", "[[operation]]", f"path = {toml.text(each.path)}"]
        title = operation.title or operation.name
        table += [f"title = {toml.text(title)}"]
        table += [f'kind = "{"lookup" if each.reads else "write"}"  # guessed from its name']
        table += [f"request_schema = {toml.text(f'{self._service}-{each.code}.request.json')}"]
        if answers:
            table += [f"response_schema = {toml.text(f'{self._service}-{each.code}.response.json')}"]
        table += ["", "[[operation.call]]"]
        if self._contract.soap:
            table += [f"operation = {toml.text(operation.name)}"]
            table += [f"answer = {toml.text(operation.answer_element.rpartition('}')[2])}"]
        else:
            table += [f"method = {toml.text(operation.method)}", f"path = {toml.text(operation.path)}"]
        if asks:
            table += [f"request = [{toml.text(each.code)}]"]
        if answers:
            table += [f"{'whole' if operation.answer_repeated else 'shape'} = {toml.text(each.code)}"]
            if same := [one for one in persons(each.request) if one in set(persons(each.answer))]:
                compared = {"asked": same[0], "held": same[0], "differs": "INVALID_REPLY"}
                table += [f"compare = [{toml.value(compared)}]"]
        if operation.not_found:
            table += ["", "[[operation.call.outcome]]", 'is = "NOT_FOUND"', f"status = {list(operation.not_found)}"]
        self._tables += table

    # -- requests ------------------------------------------------------------------------------------------------------

    def _request(self, name: str, named: tuple[Named, ...], drafted: Drafted) -> None:
        fields = list(self._sent(name, named, "", "", drafted, required=True))
        self._tables += ["", f"[request.{toml.key(name)}]", "fields = [", *(f"  {each}," for each in fields), "]"]

    def _sent(
        self, group: str, named: tuple[Named, ...], path: str, pointer: str, drafted: Drafted, *, required: bool
    ) -> Iterator[str]:
        for each in named:
            if each.field.lost or lost_here(each):
                continue
            to = _step(path, each)
            source = each.source or pointer + "".join(f"/{one}" for one in each.element)
            must = required and each.field.required
            if each.form == "shape" and not each.field.repeated:
                yield from self._sent(group, each.fields, to, source, drafted, required=must)
                continue
            if each.form == "shape" and not any(_usable(each.fields)):
                continue
            table: dict[str, object] = {"to": to}
            place = drafted.operation.places.get(each.field.name) if not path else None
            if place is not None and place.value != "body":
                table["place"] = place.value
            table["from"] = source
            if each.form == "shape":
                table["group"] = distinct(f"{group}-{code(each.field.name)}", self._taken)
                self._request(str(table["group"]), each.fields, drafted)
            yield toml.value(table | _sent_more(each, must=must))

    # -- answers -------------------------------------------------------------------------------------------------------

    def _shape(self, name: str, named: tuple[Named, ...], schema: str = "") -> None:
        fields = list(self._told(name, named, "", ""))
        head = ["", f"[shape.{toml.key(name)}]"] + ([f"schema = {toml.text(schema)}"] if schema else [])
        self._tables += [*head, "fields = [", *(f"  {each}," for each in fields), "]"]

    def _told(self, shape: str, named: tuple[Named, ...], path: str, pointer: str) -> Iterator[str]:
        for each in named:
            if each.field.lost or lost_here(each):
                continue
            element = pointer + "".join(f"/{one}" for one in each.element)
            source = _step(path, each)
            if each.form == "shape" and not each.field.repeated:
                yield from self._told(shape, each.fields, source, element)
                continue
            table: dict[str, object] = {"to": element, "from": source}
            if each.form == "shape":
                if not any(_usable(each.fields)):
                    continue
                inner = distinct(f"{shape}-{code(each.field.name)}", self._taken)
                self._shape(inner, each.fields)
                table |= {"shape": inner}
            elif each.form != "text":
                table["as"] = each.form
            if each.parts:
                table["parts"] = each.parts
            if each.field.repeated:
                table["each"] = True
            yield toml.value(table)


def _sent_more(each: Named, *, must: bool) -> dict[str, object]:
    """The rest of a request's field: how it is written, and whether it must be there."""
    more: dict[str, object] = {} if each.form in {"shape", "text"} else {"as": each.form}
    if each.field.repeated:
        more["each"] = True
    if must:
        more["required"] = True
    if each.field.longest is not None and each.form == "text" and not each.field.repeated:
        more["max_length"] = each.field.longest
    return more


def _step(path: str, named: Named) -> str:
    if named.field.name in {TEXT, ""}:
        return path
    return f"{path}/{named.path}" if path else named.path


def persons(named: tuple[Named, ...], pointer: str = "") -> Iterator[str]:
    """Pointers of the personal identification numbers, for the record."""
    for each in named:
        if each.field.lost:
            continue
        here = pointer + "".join(f"/{one}" for one in each.element) + ("/*" if each.field.repeated else "")
        if each.form == "shape":
            yield from persons(each.fields, here)
        elif meaning(each.field.name) in {Meaning.IDENTITY_NUMBER, Meaning.OLD_CARD_NUMBER} and each.element:
            yield here
