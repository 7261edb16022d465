#!/bin/sh
# Miniflare starts workerd through this script (MINIFLARE_WORKERD_PATH), so that workerd never outlives its parent:
# a killed parent would leave it serving, holding the port and the state folder.
#
# AOS_LIFELINE is a FIFO whose only writer is the parent. When the parent dies in any way, the system closes its end, the
# watcher's `read` ends, and the watcher ends workerd; it needs no file for that, so removing the state folder changes
# nothing. AOS_WORKERD_PID_FILE holds the pids of workerd and of its watcher. A workerd that replaces a crashed one ends
# the watcher that was left, which would otherwise end a pid that is somebody else's by then.
[ -n "$AOS_LIFELINE" ] || exec "$AOS_WORKERD_BIN" "$@"

trap '' INT HUP # Ctrl-C reaches the whole group; workerd has to answer until the parent has drained it
read -r _ left 2>/dev/null <"$AOS_WORKERD_PID_FILE" && [ -n "$left" ] && kill -9 "$left" 2>/dev/null
exec 9<"$AOS_LIFELINE"
(
  read -r _ <&9
  kill -9 "$$"
) </dev/null >/dev/null 2>&1 3>&- &
echo "$$ $!" >"$AOS_WORKERD_PID_FILE"
exec 9<&-
exec "$AOS_WORKERD_BIN" "$@"
