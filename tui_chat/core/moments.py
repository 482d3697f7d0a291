"""The order of time in the index: which of its rows stands for which message.

The rows are about the seconds in which the messages were said, so what the index lists by row comes
newest first and need not be sorted. A message whose second is taken gets the next row that is free. Where
that brings rows out of order, the stretch of rows is remembered as mixed, and sorted when it is read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from tui_chat.core.database import Connection

Moment = tuple[int, int]
"""When a message was said, in milliseconds since the epoch, and its seq: of equal times the later one is newer."""
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS moment(created INTEGER, seq INTEGER, place INTEGER NOT NULL,"
    " PRIMARY KEY(created, seq)) WITHOUT ROWID",
    "CREATE UNIQUE INDEX IF NOT EXISTS moment_place ON moment(place)",
    "CREATE TABLE IF NOT EXISTS mixed(low INTEGER PRIMARY KEY, high INTEGER NOT NULL)",
)
TABLES = ("moment", "mixed")


class Moments:
    """The order as it stands now; take() must be called in a transaction that began before this was made.

    Two rows that are out of order are always in the same mixed stretch, whose rows are all taken; and no row
    is less than the second of its message.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        stretches = connection.execute("SELECT low, high FROM mixed ORDER BY low").fetchall()
        self._lows = [low for low, _ in stretches]
        self._highs = [high for _, high in stretches]

    def mixed(self, place: int) -> tuple[int, int] | None:
        """The first and the last row of the mixed stretch in which this one is."""
        found = bisect_right(self._lows, place) - 1
        if found < 0 or self._highs[found] < place:
            return None
        return self._lows[found], self._highs[found]

    def last_before(self, moment: Moment) -> int | None:
        """No message before this moment stands in a higher row; None when there is none."""
        found = self._connection.execute(
            "SELECT place FROM moment WHERE (created, seq)<(?, ?)"
            " ORDER BY created DESC, seq DESC LIMIT 1",
            moment,
        ).fetchone()
        if found is None:
            return None
        stretch = self.mixed(found[0])
        return int(stretch[1] if stretch else found[0])

    def take(self, moment: Moment) -> int:
        """The row for a message that has none yet."""
        second = moment[0] // 1000
        before = self.last_before(moment)
        first = second if before is None else max(second, before + 1)
        place = self._free(first)
        stretch = None if before is None else self.mixed(before)
        if stretch is not None or place > first:
            self._keep_order(moment, stretch[0] if stretch else first, place)
        self._connection.execute("INSERT INTO moment VALUES(?, ?, ?)", (*moment, place))
        return place

    def _free(self, place: int) -> int:
        """The next row that is free, from this one on."""
        while self._connection.execute("SELECT 1 FROM moment WHERE place=?", (place,)).fetchone():
            stretch = self.mixed(place)
            place = (stretch[1] if stretch else place) + 1
        return place

    def _keep_order(self, moment: Moment, low: int, high: int) -> None:
        """Remember the rows up to `high`, where a message gets its row, from the first that is newer."""
        newer = self._connection.execute(
            "SELECT place FROM moment WHERE place BETWEEN ? AND ? AND (created, seq)>(?, ?)"
            " ORDER BY place LIMIT 1",
            (low, high, *moment),
        ).fetchone()
        if newer is not None:
            self._mix(newer[0], high)

    def _mix(self, low: int, high: int) -> None:
        first, end = bisect_left(self._highs, low), bisect_right(self._lows, high)
        if first < end:
            low, high = min(low, self._lows[first]), max(high, self._highs[end - 1])
        self._connection.execute("DELETE FROM mixed WHERE low BETWEEN ? AND ?", (low, high))
        self._connection.execute("INSERT INTO mixed VALUES(?, ?)", (low, high))
        self._lows[first:end], self._highs[first:end] = [low], [high]
