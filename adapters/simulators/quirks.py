"""The quirks of agency systems that the simulators can show and the adapters must survive, one line each."""

from types import MappingProxyType
from typing import Final

QUIRKS: Final = MappingProxyType(
    {
        "Q01": "the order of elements in a request matters",
        "Q02": "the whole name stands in Ten, while Ho and ChuDem are empty",
        "Q03": "a relative's HoVaTen is text in some answers and a structure in others",
        "Q04": "a request must name the citizen unaccented, in upper case, with đ written D",
        "Q05": "NgayThangNam is yyyyMMdd in some answers and yyyy-MM-dd in others",
        "Q06": "only Nam is there, since only the year of birth is known",
        "Q07": "an answer with HTTP 200 and no CongDan means not found",
        "Q08": "an answer with HTTP 200 carries an error: 004 procedure, 005 officer not authorised",
        "Q09": "Basic authentication over SHA-256 of url+user+time+secret; time in seconds or milliseconds",
        "Q10": "an lgspaccesstoken header (base64 JSON) beside an OAuth bearer token",
        "Q11": 'the plain text "Unauthorized" comes where a document is promised',
        "Q12": "the system freezes, times out or answers 502",
        "Q13": "JSON stands inside the XML element Body",
        "Q14": "MaQuanHuyen is present, empty or gone; commune codes are of the old or the new list",
        "Q15": "more than one CongDan answers to one name and date of birth",
        "Q16": "sex, marital status and blood group hold codes outside their lists",
        "Q17": "text is not in NFC, or is windows-1258 or TCVN3 under a UTF-8 header",
    }
)
"""Quirk → what the system does. The letters and numbers are those of the domain notes."""

PERSONAL: Final = frozenset({"Q02", "Q03", "Q05", "Q06", "Q14", "Q16", "Q17"})
"""Quirks that belong to one person's record; a person of the generator carries those that its record shows."""
