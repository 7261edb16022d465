#!/bin/sh
# Miniflare starts workerd through this script (MINIFLARE_WORKERD_PATH), so that workerd never outlives its parent:
# a killed parent would leave it serving, holding the port and the state folder.
#
# AOS_LIFELINE is a FIFO whose only writer is the parent. When the parent dies in any way, the system closes its end, the
# watcher's `read` ends, and the watcher ends workerd. AOS_WORKERD_PID_FILE names the workerd that this state folder
# belongs to; a watcher whose workerd is not named there any more just leaves.
[ -n "$AOS_LIFELINE" ] || exec "$AOS_WORKERD_BIN" "$@"

trap '' INT HUP # Ctrl-C reaches the whole group; workerd has to answer until the parent has drained it
echo "$$" >"$AOS_WORKERD_PID_FILE"
exec 9<"$AOS_LIFELINE"
(
  read -r _ <&9
  [ "$(cat "$AOS_WORKERD_PID_FILE" 2>/dev/null)" = "$$" ] && kill -9 "$$"
) </dev/null >/dev/null 2>&1 3>&- &
exec 9<&-
exec "$AOS_WORKERD_BIN" "$@"
