"""Addresses and ports."""

import ipaddress
import socket
from collections.abc import Iterable
from functools import lru_cache

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_loopback(host: str) -> bool:
    """Say whether a host name or address never leaves this computer."""
    if host.rstrip(".").lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def port_is_free(host: str, port: int) -> bool:
    """Say whether nobody serves at a port and it could be bound.

    Both are asked: a server with SO_REUSEPORT would let a second one bind silently.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return False
    for family, kind, protocol, _, target in infos:
        try:
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(target)
        except OSError:
            return False
        if port == 0:
            continue
        with socket.socket(family, kind, protocol) as caller:
            caller.settimeout(0.3)
            if caller.connect_ex(target) == 0:
                return False
    return bool(infos)


@lru_cache(maxsize=4096)
def client_network(ip: str) -> str:
    """Return the network of a client, /24 or /48, so that throttling needs no single address; "unknown" if none."""
    address = _address(ip)
    if address is None:
        return "unknown"
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, prefix), strict=False))


def is_network(text: str) -> bool:
    """Say whether a text is an address or a network ("203.0.113.0/24")."""
    try:
        ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return True


def is_within(ip: str, networks: Iterable[str]) -> bool:
    """Say whether an address lies in one of some networks; IPv4 written as IPv6 counts as IPv4."""
    address = _address(ip)
    return address is not None and any(address in ipaddress.ip_network(each, strict=False) for each in networks)


def is_public_address(text: str) -> bool:
    """Say whether an address is one of the open net, also by what it carries: no address of a house, or of tunnels."""
    address = _address(text)
    if address is None or not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        # Behind these an address of IPv4 stands, which a router on the way may turn back into it.
        inner = address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public_address(str(inner))
    return not address.is_reserved


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else address
