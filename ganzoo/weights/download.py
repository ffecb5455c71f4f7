"""One file over HTTP, whole and verified, or a reason why not.

A file comes into memory, as it does again when it is read, and goes to disk once it is verified:
nothing unverified is ever written. An attempt starts from nothing, for not every server gives
ranges and the files are small.
"""

import contextlib
import hashlib
import io
import os
import time
from urllib.parse import urlsplit

import tqdm

ATTEMPTS = 3  # for each URL, if the reason may pass: 5xx, time-outs, broken connections
BACKOFF = 1.0  # seconds before the second attempt, doubled before each further one
TIMEOUT = (10.0, 30.0)  # seconds to connect, and to wait for the next bytes
_GONE = (404, 410)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
SCHEMES = ("https", "http", "hf")


class DownloadError(OSError):
    """Weights could not be had; the message lists each source tried, and why it failed."""


class NotThere(DownloadError):
    """A source answers, and has no such file."""


def download(url: str, *, largest: int, sha256: str | None = None) -> bytes:
    """Returns the bytes behind a URL.

    Args:
        url: `https://`, `http://` or `hf://owner/repo/file`.
        largest: More bytes than these are refused.
        sha256: What the bytes must have, 64 hex digits; None for not checked.

    Raises:
        DownloadError: It failed; the message gives the reason, without the URL.
        ValueError: The URL is of no such form.
    """
    import requests  # late: slow to import, and seldom needed

    url = address(url)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(BACKOFF * 2 ** (attempt - 1))
        try:
            return verified(_once(url, largest), sha256)
        except requests.HTTPError as error:
            reason = f"{error.response.status_code} {error.response.reason}"
            if error.response.status_code in _GONE:
                raise NotThere(reason) from error
            if error.response.status_code not in _PASSING:
                raise DownloadError(reason) from error
            last = error
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            reason, last = _innermost(error), error
        except requests.RequestException as error:
            raise DownloadError(_innermost(error)) from error
        except ValueError as error:  # a length that is no number, say
            raise DownloadError(f"a malformed answer: {error}") from error
    raise DownloadError(f"{reason}, {ATTEMPTS} times") from last


def verified(data: bytes, sha256: str | None) -> bytes:
    """Returns the bytes, or raises `DownloadError` if they have another sha256."""
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise DownloadError(f"the sha256 is {found}, expected {sha256}")
    return data


def address(url: str) -> str:
    """Returns the web address of a URL: that of the hub's server for `hf://owner/repo/file`.

    `hf://owner/repo@revision/file` names a revision; the variable HF_ENDPOINT another hub.

    Raises:
        ValueError: Another scheme, or no file in the hub's URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES or not rest:
        raise ValueError(f"Expected a URL with https://, http:// or hf://. Received: {shown(url)}")
    if scheme != "hf":
        return url
    owner, _, rest = rest.partition("/")
    repository, _, file = rest.partition("/")
    repository, _, revision = repository.partition("@")
    if not (owner and repository and file):
        raise ValueError(f"Expected hf://owner/repo/file. Received: {url}")
    hub = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    return f"{hub.rstrip('/')}/{owner}/{repository}/resolve/{revision or 'main'}/{file}"


def shown(url: str) -> str:
    """Returns the URL for a message: without a password or token that it may hold."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _once(url: str, largest: int) -> bytes:
    """One attempt."""
    import pooch

    answers = []

    def note(answer, **_):
        answers.append(answer)
        _refuse_downgrade(answer)

    get = pooch.HTTPDownloader(
        chunk_size=2**16,
        timeout=TIMEOUT,
        headers={"User-Agent": "ganzoo", "Accept-Encoding": "identity"},
        hooks={"response": note},
    )
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [answer.close() for answer in answers])
        sink = stack.enter_context(_Sink(url, answers, largest))
        get(url, sink, None)
        return sink.getvalue()


def _refuse_downgrade(answer) -> None:
    """Refuses a redirect from https to anything else, which could be listened to or changed."""
    target = answer.headers.get("Location", "") if answer.is_redirect else ""
    if urlsplit(answer.url).scheme == "https" and urlsplit(target).scheme not in ("", "https"):
        raise DownloadError(f"it redirects from https to {shown(target)}")


class _Sink(io.BytesIO):
    """What a download is written to: counts against the limit, and shows progress."""

    def __init__(self, url: str, answers: list, largest: int):
        super().__init__()
        self._answers, self._largest = answers, largest
        name = urlsplit(url).path.rpartition("/")[2]
        # disable=None: shown in a terminal only.
        self._bar = tqdm.tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False)

    def write(self, chunk: bytes) -> int:
        if self._bar.total is None:
            self._bar.total = int(self._answers[-1].headers.get("Content-Length") or 0) or None
        if self.tell() + len(chunk) > self._largest:
            raise DownloadError(f"it has more than the {self._largest:,} bytes expected")
        self._bar.update(len(chunk))
        return super().write(chunk)

    def close(self) -> None:
        self._bar.close()
        super().close()


def _innermost(error: BaseException) -> str:
    """The message at the root of a chain of exceptions: 'Connection refused', say."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
