"""Change the counts."""

from commonbeat.maps.actions.counting import recount, stop_waiting
from commonbeat.maps.actions.drawing import draw_due, forget_old_changes
from commonbeat.maps.actions.make_up import draw_make_ups
from commonbeat.maps.actions.rebuilding import rebuild

__all__ = ["draw_due", "draw_make_ups", "forget_old_changes", "rebuild", "recount", "stop_waiting"]
