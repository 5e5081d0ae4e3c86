"""Names of WS-Security 1.1 and XML Signature, and the only algorithms that are accepted (protocols.md §2, "SOAP")."""

import hashlib
from typing import Final

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE: Final = f"{_WSS}wssecurity-secext-1.0.xsd"
WSU: Final = f"{_WSS}wssecurity-utility-1.0.xsd"
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
XINCLUDE: Final = "http://www.w3.org/2001/XInclude"

EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
SWA_CONTENT: Final = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform"
BASE64: Final = f"{_WSS}soap-message-security-1.0#Base64Binary"
X509V3: Final = f"{_WSS}x509-token-profile-1.0#X509v3"
PKI_PATH: Final = f"{_WSS}x509-token-profile-1.0#X509PKIPathv1"
KEY_IDENTIFIER: Final = f"{_WSS}x509-token-profile-1.0#X509SubjectKeyIdentifier"
THUMBPRINT: Final = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"

SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
DIGESTS: Final = {SHA256: hashlib.sha256, "http://www.w3.org/2001/04/xmlenc#sha512": hashlib.sha512}
SIGNATURES: Final = frozenset(
    f"http://www.w3.org/2001/04/xmldsig-more#{name}"
    for name in ("rsa-sha256", "rsa-sha512", "ecdsa-sha256", "ecdsa-sha384")
)

ACTED_ON: Final = frozenset(
    {
        "http://x-road.eu/xsd/xroad.xsd",
        "http://x-road.eu/xsd/identifiers",
        "http://x-road.eu/xsd/representation.xsd",
        "urn:motlan:soap:v1",
        "http://www.w3.org/2005/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    }
)
"""Namespaces of header blocks that mean something to us: each such block must be signed."""

SECURITY: Final = f"{{{WSSE}}}Security"
TOKEN: Final = f"{{{WSSE}}}BinarySecurityToken"
TIMESTAMP: Final = f"{{{WSU}}}Timestamp"
CONFIRMATION: Final = f"{{{WSSE11}}}SignatureConfirmation"
SIGNATURE: Final = f"{{{DS}}}Signature"
WSU_ID: Final = f"{{{WSU}}}Id"
ID_NAMES: Final = frozenset({WSU_ID, "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id"})
"""Attributes that some implementation somewhere takes for an element's id."""
