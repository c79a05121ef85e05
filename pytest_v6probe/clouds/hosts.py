"""What cures a Linux host itself, on every cloud? Sysctls, daemons, firewalls on the way."""

from __future__ import annotations

from pytest_v6probe.clouds.model import Cure
from pytest_v6probe.result import Layer

CURES = (
    Cure(
        layer=Layer.ADDRESS, verdict="duplicate",
        cause="another machine on the link uses the address (RFC 4862 §5.4.5)",
        command="ip -6 address show dadfailed  # then give one of the two another address",
    ),
    Cure(
        layer=Layer.ADDRESS, verdict="tentative",
        cause="duplicate address detection has not ended; the link may have no carrier",
        command="ip -6 address show tentative",
    ),
    Cure(
        layer=Layer.RA, verdict="not-accepted",
        cause="the kernel ignores router advertisements: accept_ra is 0, or 1 with forwarding on (ip-sysctl)",
        command="sysctl -w net.ipv6.conf.<if>.accept_ra=2  # 1 without forwarding; under systemd-networkd instead "
        "IPv6AcceptRA=yes in the [Network] section of the .network file, and leave accept_ra alone",
    ),
    Cure(
        layer=Layer.RA, verdict="several-routers",
        cause="a second router advertises itself on this link (RFC 6104): a rogue, or a container host",
        command="rdisc6 -m <if>  # find the one that does not belong, and turn its advertisements off",
    ),
    Cure(
        layer=Layer.RESOLVER, verdict="no-nameserver",
        cause="resolv.conf names no IPv6 resolver",
        command="resolvectl dns <if> <resolver>  # or a nameserver line in /etc/resolv.conf",
    ),
    Cure(
        layer=Layer.PATH_MTU,
        cause="a packet-too-big message is lost on the way: a firewall drops ICMP",
        command="nft add rule inet filter input icmpv6 type packet-too-big accept  # on every firewall on the path; "
        "for IPv4 behind the translator ICMP type 3 code 4",
    ),
    Cure(
        layer=Layer.TCP, verdict="refused",
        cause="nothing listens there on IPv6, or a firewall answers with a reset",
        command="ss -6 -ltn  # on the server: the service must listen on [::]",
    ),
    Cure(
        layer=Layer.SSH, verdict="host-key-changed",
        cause="the host was made anew, or somebody is in between",
        command="ssh-keygen -R '<host>'  # after comparing the new key with the console's",
    ),
    Cure(
        layer=Layer.TLS, verdict="tls-error",
        cause="the server's certificate is of another name or authority or has expired, or no version of TLS is common "
        "to both",
        command="openssl s_client -6 -connect <name>:<port> -servername <name> -verify_hostname <name> </dev/null",
    ),
    Cure(
        layer=Layer.TLS, verdict="tls-unanswered",
        cause="the server's certificates fill large packets, and packet-too-big messages are lost on the way",
        command="nft add rule inet filter input icmpv6 type packet-too-big accept  # on every firewall on the path",
    ),
    Cure(
        layer=Layer.HTTP, verdict="different-content",
        cause="the name's AAAA and A records lead to different servers",
        command="curl -6 -sv <url> && curl -4 -sv <url>",
    ),
    Cure(
        layer=Layer.NTP, verdict="unsynchronised",
        cause="the time server itself has no source",
        command="chronyc sources -v",
    ),
)  # fmt: skip
