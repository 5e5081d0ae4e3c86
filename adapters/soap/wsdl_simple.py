"""Simple types of XSD as scalars: what they are in JSON, and what narrows them."""

from adapters.soap.schema_patterns import to_json
from adapters.soap.translate_shapes import XSD, Facets, Kind, Scalar
from adapters.soap.wsdl_index import Name, SchemaError, SchemaIndex
from adapters.soap.xml import Element

_XS = f"{{{XSD}}}"
_INTEGERS: dict[str, tuple[int | None, int | None]] = {
    "integer": (None, None),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-(2**7), 2**7 - 1),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 2**8 - 1),
}
_KINDS = {
    **dict.fromkeys(_INTEGERS, Kind.INTEGER),
    "decimal": Kind.DECIMAL,
    "float": Kind.FLOAT,
    "double": Kind.FLOAT,
    "boolean": Kind.BOOLEAN,
    "string": Kind.STRING,
    "anySimpleType": Kind.STRING,
}
_LENGTHS = {"minLength": "min_length", "maxLength": "max_length"}
_BOUNDS = {
    "minInclusive": "minimum",
    "maxInclusive": "maximum",
    "minExclusive": "exclusive_minimum",
    "maxExclusive": "exclusive_maximum",
}
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})
_DEEPEST = 64


def builtin(local: str) -> Scalar:
    """A built-in type. Whatever is not a number, a boolean or xs:string is a string without surrounding space."""
    least, most = _INTEGERS.get(local, (None, None))
    facets = Facets(minimum=None if least is None else str(least), maximum=None if most is None else str(most))
    return Scalar(kind=_KINDS.get(local, Kind.TOKEN), base=local, facets=facets)


class SimpleTypes:
    """Compiles simple types. Raises SchemaError for names of nothing."""

    def __init__(self, index: SchemaIndex) -> None:
        self._index = index

    def named(self, name: Name, depth: int = 0) -> Scalar:
        """A simple type by its name."""
        if name[0] == XSD:
            return builtin(name[1])
        node = self._index.get("simpleType", name)
        if node is None or depth > _DEEPEST:
            raise SchemaError(f"nothing defines the simple type {name[1]}")
        return self.inline(node, depth)

    def inline(self, node: Element, depth: int = 0) -> Scalar:
        """An ``xs:simpleType``."""
        restriction = node.find(f"{_XS}restriction")
        if restriction is not None:
            return self.restricted(restriction, self._base(restriction, depth))
        union = node.find(f"{_XS}union")
        if union is not None:
            return self._union(union, depth)
        return Scalar(kind=Kind.TOKEN)  # xs:list

    def _base(self, restriction: Element, depth: int) -> Scalar:
        base = restriction.get("base")
        if base is not None:
            return self.named(self._index.name_of(restriction, base), depth + 1)
        inner = restriction.find(f"{_XS}simpleType")
        return builtin("string") if inner is None else self.inline(inner, depth + 1)

    def _union(self, union: Element, depth: int) -> Scalar:
        names = union.get("memberTypes", "").split()
        members = [self.named(self._index.name_of(union, name), depth + 1) for name in names]
        members += [self.inline(each, depth + 1) for each in union.findall(f"{_XS}simpleType")]
        kinds = {member.kind for member in members}
        if len(kinds) == 1:
            return Scalar(kind=kinds.pop(), base="string")
        return Scalar(kind=Kind.STRING if Kind.STRING in kinds else Kind.TOKEN)

    def restricted(self, node: Element, base: Scalar) -> Scalar:
        """A scalar with the facets of an ``xs:restriction`` above its own (XML Schema 2, §4.3)."""
        said = {name: getattr(base.facets, name) for name in Facets.__struct_fields__}
        values = [each.get("value", "") for each in node.findall(f"{_XS}enumeration")]
        if values and base.kind in {Kind.STRING, Kind.TOKEN}:
            said["enumeration"] = tuple(dict.fromkeys(values))
        patterns = [to_json(each.get("value", "")) for each in node.findall(f"{_XS}pattern")]
        if patterns and None not in patterns and base.kind not in _NUMBERS:
            said["pattern"] = "|".join(str(each) for each in patterns)
        self._lengths(node, base, said)
        for facet, name in _BOUNDS.items():
            found = node.find(f"{_XS}{facet}")
            if found is not None and base.kind in _NUMBERS:
                said[name] = found.get("value", "").strip()
        kind = base.kind
        space = node.find(f"{_XS}whiteSpace")
        if kind is Kind.STRING and space is not None and space.get("value") != "preserve":
            kind = Kind.TOKEN
        return Scalar(kind=kind, base=base.base, facets=Facets(**said))

    def _lengths(self, node: Element, base: Scalar, said: dict[str, object]) -> None:
        if base.base in {"hexBinary", "base64Binary"} or base.kind not in {Kind.STRING, Kind.TOKEN}:
            return  # a length in octets
        exact = node.find(f"{_XS}length")
        for facet, name in _LENGTHS.items():
            found = exact if exact is not None else node.find(f"{_XS}{facet}")
            if found is not None and found.get("value", "").strip().isdigit():
                said[name] = int(found.get("value", "0"))
