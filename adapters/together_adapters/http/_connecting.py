"""The TLS settings of a client: one context, made when the first connection needs it.

It never weakens what Python checks by default, and never changes a context that was given.
"""

from __future__ import annotations

from _thread import allocate_lock  # threading may be missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["Security"]


class Security:
    """Certificates are checked against the system's CAs (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) or `cafile`'s.

    Making a context reads all CA certificates, 3 to 17 ms, so all connections of a client share one.
    """

    def __init__(self, cafile: str | None, context: SSLContext | None) -> None:
        if cafile is not None and context is not None:
            raise ValueError("give cafile or ssl_context, not both")
        self._cafile = cafile
        self._context = context
        self._lock = allocate_lock()

    def context(self) -> SSLContext:
        """The context; raises OSError where this Python has no TLS or the file cannot be read."""
        with self._lock:
            if self._context is None:
                try:
                    from ssl import create_default_context
                except ImportError:
                    raise OSError(
                        "this Python has no ssl module: give transport= to send requests in another way"
                    ) from None
                self._context = create_default_context(cafile=self._cafile)
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context
