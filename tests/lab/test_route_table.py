"""Is the table of docs/docker-routes.md what the engines do?"""

from __future__ import annotations

from tests.lab import route_table


def test_the_published_table_is_what_is_measured_again():
    _, _, rows, _ = route_table.published()
    assert rows == route_table.table(route_table.measured())
