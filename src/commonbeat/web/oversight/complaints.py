"""How the desks for complaints about police stand against their days: numbers only, and none of what is written."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.tips.complaint_queries import DUE_SOON_DAYS, desk_clocks
from commonbeat.web.accounts import needs, signed_in


@require_safe
@needs(Permission.MANAGE_COMPLAINT_DESKS)
def deadlines(request: HttpRequest) -> HttpResponseBase:
    """Show for each desk how many complaints are open, due soon and overdue."""
    rows = [(each, each.desk.name_in("en")) for each in desk_clocks(signed_in(request), now=clock.now())]
    return render(request, "oversight/deadlines.html", {"rows": rows, "soon": DUE_SOON_DAYS})
