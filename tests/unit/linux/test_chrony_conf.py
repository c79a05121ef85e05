"""Does `linux.chrony_conf` find the time sources that chronyd and timesyncd would use?"""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux.chrony_conf import PATTERNS, TimeSource, parse

AMAZON = ip_address("fd00:ec2::123")


def names(files):
    return [str(source.address_or_name) for source in parse(files)]


def test_a_server_line_is_read_with_its_options():
    text = "# comment\n! comment\nServer fd00:ec2::123 prefer iburst\npool ntp.example maxsources 4\nserver\n"
    assert parse({"/etc/chrony.conf": text}) == (
        TimeSource(
            address_or_name=AMAZON,
            kind="server",
            options=("prefer", "iburst"),
            file="/etc/chrony.conf",
        ),
        TimeSource(
            address_or_name="ntp.example",
            kind="pool",
            options=("maxsources", "4"),
            file="/etc/chrony.conf",
        ),
    )


def test_includes_are_read_where_they_stand_and_in_order():
    files = {
        "/etc/chrony/chrony.conf": "server a\ninclude /etc/chrony/x/*.conf\npeer z\ninclude /etc/gone\n",
        "/etc/chrony/x/2.conf": "server c",
        "/etc/chrony/x/1.conf": "server b",
        "/etc/chrony/x/3.txt": "server no",
        "/etc/chrony/x/y/4.conf": "server no",
    }
    assert names(files) == ["a", "b", "c", "z"]


def test_of_two_files_of_one_name_the_first_directorys_is_read():
    files = {
        "/etc/chrony/chrony.conf": "confdir /etc/one /etc/two\nsourcedir /run/chrony-dhcp",
        "/etc/two/b.conf": "server not-me",
        "/etc/one/b.conf": "server b",
        "/etc/two/a.conf": "server a",
        "/etc/two/a.sources": "server not-me-either",
        "/run/chrony-dhcp/ens5.sources": "server fd00:ec2::123 iburst",
    }
    assert names(files) == ["a", "b", "fd00:ec2::123"]


def test_files_that_include_each_other_without_end_are_read_once():
    again = "include /etc/chrony.*\n" * 500
    files = {"/etc/chrony.conf": f"server a\n{again}", "/etc/chrony.more": f"server b\n{again}"}
    assert names(files) == ["a", "b"]


def test_a_file_that_nobody_includes_says_nothing():
    assert names({"/etc/chrony/sources.d/lost.sources": "server a"}) == []


def test_timesyncd_lists_are_added_to_and_emptied_as_systemd_does():
    files = {
        "/etc/systemd/timesyncd.conf": "[Time]\nNTP=old.example\nFallbackNTP=fall.example\n#NTP=no\n",
        "/etc/systemd/timesyncd.conf.d/20-b.conf": "[Time]\nNTP=later.example\n",
        "/etc/systemd/timesyncd.conf.d/10-a.conf": "[Time]\nNTP=\nNTP = fd00:ec2::123\n",
    }
    assert [(s.kind, str(s.address_or_name), s.daemon) for s in parse(files)] == [
        ("server", "fd00:ec2::123", "timesyncd"),
        ("server", "later.example", "timesyncd"),
        ("fallback", "fall.example", "timesyncd"),
    ]


@given(
    st.dictionaries(st.sampled_from([p.replace("*", "x") for p in PATTERNS]), st.text(max_size=80))
)
def test_any_files_are_read(files):
    assert isinstance(parse(files), tuple)


@pytest.mark.parametrize("files", [{}, {"/etc/chrony.conf": ""}])
def test_no_source_is_an_empty_tuple(files):
    assert parse(files) == ()
