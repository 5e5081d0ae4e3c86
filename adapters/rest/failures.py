"""How a call to a provider can fail below HTTP, told apart by what is known of the request.

The one place where socket, TLS and HTTP-parser errors become ours. Texts never hold payload, target or header values.
"""


class CallError(Exception):
    """A call that brought no usable answer. timed_out: its deadline (or the connect time-out) ended it."""

    def __init__(self, detail: str, *, timed_out: bool = False) -> None:
        super().__init__(detail)
        self.timed_out = timed_out


class NotSentError(CallError):
    """Nothing was sent: no connection could be had. Safe to repeat, whatever the method.

    busy: it was our own limit of connections, which says nothing of the provider.
    """

    def __init__(self, detail: str, *, timed_out: bool = False, busy: bool = False) -> None:
        super().__init__(detail, timed_out=timed_out)
        self.busy = busy


class CredentialsRefusedError(NotSentError):
    """The provider gives our credentials no token: nothing was sent, and trying again would change nothing."""


class EndUnknownError(CallError):
    """The request was sent, wholly or in part, and nothing came back: the provider may have acted.

    stale: it went out on a connection that had been kept alive and that the provider closed (RFC 9112 §9.3.1).
    """

    def __init__(self, detail: str, *, timed_out: bool = False, stale: bool = False) -> None:
        super().__init__(detail, timed_out=timed_out)
        self.stale = stale


class TruncatedReplyError(CallError):
    """An answer began and broke off, or its end did not come in time."""


class UnreadableReplyError(CallError):
    """What came is not an HTTP/1.1 answer, or its head is larger than allowed."""


class ReplyTooLargeError(CallError):
    """The answer's body is larger than allowed."""


class UnstorableReplyError(CallError):
    """The place for a large answer could not take it (a full disk): our own trouble, not the provider's."""


class UnsendableRequestError(ValueError):
    """The request cannot be written as HTTP/1.1: control characters in a field, a bad name, a field that frames."""
