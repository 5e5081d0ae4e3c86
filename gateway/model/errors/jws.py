"""Kinds of errors of ``Motlan-JWS`` (protocols.md §2, "REST alternative: JWS"); the others it shares with RFC 9421."""

from gateway.model.errors.base import ErrorKind, Fault, Text

JWS_MALFORMED = ErrorKind(
    code="client.jws_malformed",
    status=400,
    fault=Fault.CALLER,
    title=Text("Motlan-JWS is not the compact JWS that it must be", "Motlan-JWS không phải là JWS dạng rút gọn hợp lệ"),
    next=Text(
        'Send one compact JWS whose header holds alg, typ "motlan-request+jwt" and x5t#S256, as docs/signing.md shows.',
        'Gửi một JWS dạng rút gọn có phần đầu gồm alg, typ "motlan-request+jwt" và x5t#S256, theo docs/signing.md.',
    ),
)
JWS_CLAIM = ErrorKind(
    code="client.jws_claim",
    status=400,
    fault=Fault.CALLER,
    title=Text("A claim of Motlan-JWS is missing or has a wrong form", "Một trường trong Motlan-JWS bị thiếu hoặc sai"),
    next=Text(
        "Send iss, aud, iat, exp (at most 300 s later), jti (16 to 256 characters) and signed; see docs/signing.md.",
        "Gửi đủ iss, aud, iat, exp (sau không quá 300 giây), jti (16 đến 256 ký tự) và signed, theo docs/signing.md.",
    ),
)
JWS_MISMATCH = ErrorKind(
    code="client.jws_mismatch",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "What Motlan-JWS states is not what the request is",
        "Nội dung Motlan-JWS nêu không khớp với yêu cầu",
    ),
    next=Text(
        "Sign the very method, target, headers and digest that are sent; check whether a proxy changes what is named.",
        "Ký đúng phương thức, địa chỉ, header và digest được gửi; kiểm tra xem có proxy nào sửa phần được nêu không.",
    ),
)
