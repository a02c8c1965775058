"""Listen for a mail server that hands mail over by LMTP: 250 means that it is on the disk."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from commonbeat.config.options import Options
from commonbeat.worker.mail import MAIL_BYTES, Intake, TooManyWrongTokens, is_ours

logger = logging.getLogger(__name__)

# A mail server hands over a few at a time; each may hold a whole mail in memory.
CONNECTIONS = 8
_LINE_BYTES = 1_048_576
_IDLE_SECONDS = 120
_BIND_AGAIN_SECONDS = 5.0
_AT_ONCE = 2


class _Protocol(LMTP):
    # Some servers pass on lines that are longer than the standard has it.
    line_length_limit = _LINE_BYTES
    # The connections that are open; the listener puts its own set in.
    open: set[_Protocol]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self.open) >= CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections; please try again later\r\n")
            transport.close()
        self.open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.open.discard(self)
        super().connection_lost(error)


class _Handler:
    """Answer what a mail server says; every mail has one recipient, so that one answer is enough."""

    def __init__(self, intake: Intake, pool: ThreadPoolExecutor) -> None:
        self._intake = intake
        self._pool = pool

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session
        if not is_ours(address):
            return "550 5.1.1 There is no such address here"
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time, please"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        del server, session
        data = envelope.original_content or b""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self._pool, self._intake.take, data, list(envelope.rcpt_tos), envelope.mail_from or ""
            )
        except TooManyWrongTokens:
            return "450 4.7.1 Too many unknown addresses; please try again later"
        except Exception as error:  # the database may be away, and whatever it is, the server comes again
            # The type only: its text may hold what a person wrote.
            logger.error("A mail was not stored: %s.", type(error).__name__)
            return "451 4.3.0 It could not be stored; please try again later"
        return "250 2.0.0 Stored"

    async def handle_exception(self, error: Exception) -> str:
        logger.error("A connection of the mail server failed: %s.", type(error).__name__)
        return "451 4.3.0 Something went wrong here; please try again later"


class LmtpListener:
    """Serve LMTP in a thread, from start() to stop()."""

    def __init__(self, options: Options, intake: Intake) -> None:
        self._options = options
        self._intake = intake
        self._thread = threading.Thread(target=self._run, name="lmtp", daemon=True)
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._open: set[_Protocol] = set()
        # Set while the port is open; for tests, and for whoever wants to know.
        self.is_listening = threading.Event()
        self.port = options.mail_lmtp_port

    def start(self) -> None:
        """Start the thread."""
        # What the library logs repeats addresses and lines of mail.
        logging.getLogger("mail").setLevel(logging.CRITICAL + 1)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Close the port; a mail that is not acknowledged comes again."""
        self._stopping.set()
        loop, ended = self._loop, self._ended
        if loop is not None and ended is not None and not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._ended = ended = asyncio.Event()
        has_warned = False
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="mail") as pool:
            while not self._stopping.is_set():
                try:
                    server = await loop.create_server(
                        lambda: self._protocol(loop, pool), self._options.mail_lmtp_host, self._options.mail_lmtp_port
                    )
                except OSError as error:
                    # Another worker on this computer may have the port, and may end.
                    if not has_warned:
                        logger.warning(
                            "Mail is not taken on %s:%d: %s.",
                            self._options.mail_lmtp_host,
                            self._options.mail_lmtp_port,
                            error.strerror or type(error).__name__,
                        )
                    has_warned = True
                    await _at_most(ended, _BIND_AGAIN_SECONDS)
                    continue
                self.port = server.sockets[0].getsockname()[1]
                self.is_listening.set()
                await ended.wait()
                server.close()
                self.is_listening.clear()
            for task in asyncio.all_tasks(loop) - {asyncio.current_task(loop)}:
                task.cancel()

    def _protocol(self, loop: asyncio.AbstractEventLoop, pool: ThreadPoolExecutor) -> _Protocol:
        protocol = _Protocol(
            _Handler(self._intake, pool),
            loop=loop,
            data_size_limit=MAIL_BYTES,
            enable_SMTPUTF8=True,
            # Else the library asks the name servers for our own name.
            hostname=self._options.mail_address.rpartition("@")[2],
            ident="Commonbeat",
            timeout=_IDLE_SECONDS,
        )
        protocol.open = self._open
        return protocol


async def _at_most(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
