"""The page as an application of ASGI. No JavaScript, nothing from elsewhere, forms that only it can send."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from masklet.errors import AccessDeniedError, MaskletError
from masklet_server.status import words
from masklet_server.status.forms import bearer_in, form_of, peer_of
from masklet_server.status.headers import SafeHeaders
from masklet_server.status.operating import Keys, Operated
from masklet_server.status.visits import LASTS_S, Visit, Visits

REFRESH_S = (2, 5, 10, 30, 60)
"""How often the page may load itself anew; never, unless it is asked to."""
_HERE = Path(__file__).parent

Handler = Callable[[Request], Awaitable[Response]]


class StatusPage:
    """Answers a browser.

    Args:
        server: What is shown and kept.
        keys: Knows who may.
        secure: It is reached over TLS.
    """

    def __init__(self, server: Operated, keys: Keys, *, secure: bool) -> None:
        self._server = server
        self._keys = keys
        self._secure = secure
        self._visits = Visits()
        # A name that begins so is taken by browsers from the host itself alone, and over TLS.
        self._cookie = "__Host-masklet" if secure else "masklet"
        self._style = (_HERE / "static/status.css").read_text(encoding="utf-8")
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            size=words.size,
            span=words.span,
            moment=words.moment,
            moment_for_programs=words.moment_for_programs,
        )
        one = "/sessions/{session_id}"
        self.app = Starlette(
            routes=[
                Route("/", self._home),
                Route("/status.css", self._css),
                Route("/login", self._login, methods=["GET", "POST"]),
                Route("/logout", self._kept(self._logout), methods=["POST"]),
                Route("/status", self._kept(self._status)),
                Route("/status.json", self._kept(self._json)),
                Route("/drain", self._kept(self._drain), methods=["GET", "POST"]),
                Route(f"{one}/park", self._kept(self._park), methods=["GET", "POST"]),
                Route(f"{one}/remove", self._kept(self._remove), methods=["GET", "POST"]),
                Route(f"{one}/picture.jpg", self._kept(self._picture)),
            ],
            middleware=[Middleware(SafeHeaders)],
        )

    def _kept(self, handler: Handler) -> Handler:
        """A handler for keepers alone, and for their own forms."""

        async def guarded(request: Request) -> Response:
            if not self._may_be_called(request):
                return self._refusal(
                    HTTPStatus.MISDIRECTED_REQUEST, "Not here", "Call this page by localhost or 127.0.0.1."
                )
            visit = self._visits.find(request.cookies.get(self._cookie, ""))
            bearer = bearer_in(request)
            token = bearer or ("" if visit is None else visit.token)
            request.state.operator = "this machine"
            if self._keys.asks:
                if not token:
                    return self._to_login(request)
                try:
                    request.state.operator = self._keys.operator_of(token, *peer_of(request))
                except AccessDeniedError as error:
                    return self._refused_login(request, str(error))
            is_new = visit is None and not bearer
            if visit is None:
                # Of a program that brings its token along, for this one request.
                visit = self._visits.begin("") if is_new else Visit("", "", 0.0)
            request.state.visit = visit
            if request.method == "POST":
                refusal = None if bearer else await self._strange_form(request, visit)
                if refusal is not None:
                    return refusal
            response = await handler(request)
            if is_new:
                self._set_cookie(response, visit)
            return response

        return guarded

    def _may_be_called(self, request: Request) -> bool:
        """False for a name of somebody else's that leads to this machine."""
        if self._keys.asks:
            return True
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    async def _strange_form(self, request: Request, visit: Visit) -> Response | None:
        """The refusal of a form that another page sent, or one that is old."""
        form = await form_of(request)
        is_own = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            is_own = False
        if is_own and form is not None and visit.sent(form.get("key", "")):
            return None
        return self._refusal(
            HTTPStatus.FORBIDDEN,
            "Nothing was done",
            "The form was not one of this page, or an old one: go back, load the page again and repeat it.",
        )

    async def _home(self, request: Request) -> Response:
        return RedirectResponse("/status")

    async def _css(self, request: Request) -> Response:
        return Response(self._style, media_type="text/css")

    async def _login(self, request: Request) -> Response:
        if not self._keys.asks:
            return RedirectResponse("/status")
        if request.method == "GET":
            return self._page("login.html", told="")
        form = await form_of(request)
        token = "" if form is None else form.get("token", "").strip()
        try:
            self._keys.operator_of(token, *peer_of(request))
        except AccessDeniedError as error:
            return self._page("login.html", HTTPStatus.UNAUTHORIZED, told=str(error))
        response = RedirectResponse("/status", HTTPStatus.SEE_OTHER)
        self._set_cookie(response, self._visits.begin(token))
        return response

    async def _logout(self, request: Request) -> Response:
        self._visits.end(request.state.visit.visit_id)
        response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        response.delete_cookie(self._cookie, secure=self._secure, httponly=True, samesite="strict")
        return response

    async def _status(self, request: Request, told: str = "") -> Response:
        every = request.query_params.get("every", "")
        every_s = int(every) if every.isdecimal() and len(every) < 4 and int(every) in REFRESH_S else 0
        return self._page(
            "status.html",
            facts=self._server.facts(),
            every_s=every_s,
            pictures=self._server.shows_pictures,
            signed_in=self._keys.asks,
            operator=request.state.operator,
            key=request.state.visit.form_key,
            told=_TOLD.get(request.query_params.get("done", ""), told),
        )

    async def _json(self, request: Request) -> Response:
        return JSONResponse(self._server.facts().as_json())

    async def _drain(self, request: Request) -> Response:
        if request.method == "GET":
            return self._confirm(
                request,
                "Drain this server?",
                "It takes no new sessions. Artists who have one go on; the server ends when nobody has "
                "called for a while. Sessions that are kept come back with the next server.",
                "Drain",
                danger=True,
            )
        self._server.drain(operator=request.state.operator)
        return _done("drained")

    async def _park(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        if request.method == "GET":
            return self._confirm(
                request,
                f"Park the session of {self._named(session_id)}?",
                "It gives its memory back, and takes it again at the artist's next call, which takes a "
                "moment longer.",
                "Park",
            )
        done = await self._server.park(session_id, operator=request.state.operator)
        return _done("parked" if done else "busy")

    async def _remove(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        if request.method == "GET":
            return self._confirm(
                request,
                f"Remove the session of {self._named(session_id)}?",
                "Its prompts, masks and uploaded clip are deleted for good. The artist's client has the "
                "prompts, and can open the clip again.",
                "Remove for good",
                danger=True,
            )
        done = await self._server.remove(session_id, operator=request.state.operator)
        return _done("removed" if done else "gone")

    async def _picture(self, request: Request) -> Response:
        if not self._server.shows_pictures:
            return self._refusal(
                HTTPStatus.FORBIDDEN, "No pictures", "Start the server with --status-pictures to see them."
            )
        try:
            picture = await self._server.picture(request.path_params["session_id"])
        except MaskletError:
            picture = None
        if picture is None:
            return self._refusal(
                HTTPStatus.NOT_FOUND, "No picture", "There is nothing to show of this session."
            )
        return Response(picture, media_type="image/jpeg")

    def _named(self, session_id: str) -> str:
        for row in self._server.facts().sessions:
            if row.session_id == session_id:
                return f"{row.user} on {row.clip}"
        return "nobody: it has gone"

    def _confirm(
        self, request: Request, question: str, consequence: str, answer: str, *, danger: bool = False
    ) -> Response:
        return self._page(
            "confirm.html",
            question=question,
            consequence=consequence,
            answer=answer,
            danger=danger,
            action=request.url.path,
            key=request.state.visit.form_key,
        )

    def _to_login(self, request: Request) -> Response:
        if request.url.path.endswith(".json"):
            return JSONResponse(
                {"error": "bring a token"}, HTTPStatus.UNAUTHORIZED, {"www-authenticate": "Bearer"}
            )
        return RedirectResponse("/login", HTTPStatus.SEE_OTHER)

    def _refused_login(self, request: Request, sentence: str) -> Response:
        if bearer_in(request):
            return JSONResponse({"error": sentence}, HTTPStatus.FORBIDDEN)
        self._visits.end(request.cookies.get(self._cookie, ""))
        return self._page("login.html", HTTPStatus.UNAUTHORIZED, told=sentence)

    def _refusal(self, status: HTTPStatus, title: str, sentence: str) -> Response:
        return self._page("refusal.html", status, title=title, sentence=sentence)

    def _page(self, template: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response:
        html = self._templates.get_template(template).render({"every_s": 0, **values})
        return HTMLResponse(html, status)

    def _set_cookie(self, response: Response, visit: Visit) -> None:
        response.set_cookie(
            self._cookie,
            visit.visit_id,
            max_age=int(LASTS_S),
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )


_TOLD = {
    "drained": "The server takes no new sessions, and ends when nobody works any more.",
    "parked": "The session has given its memory back.",
    "busy": "Nothing was done: the session is at work, or gone.",
    "removed": "The session is gone for good.",
    "gone": "Nothing was done: the session was gone already.",
}


def _done(what: str) -> Response:
    """Back to the page, so that loading it anew does not repeat the deed."""
    return RedirectResponse(f"/status?done={what}", HTTPStatus.SEE_OTHER)
