"""Network addresses and networks, as connections and configuration write them."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def parse_address(text: str) -> Address | None:
    """An address; None if the text is none. An IPv4 address that came over an IPv6 socket (``::ffff:…``, RFC 4291
    §2.5.5.2) is the IPv4 address, and a scope (``%eth0``) is left out.
    """
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def parse_network(text: str) -> Network:
    """A network in CIDR form; a bare address is a network of one. Raises ValueError, also for bits beyond the mask."""
    return ip_network(text)
