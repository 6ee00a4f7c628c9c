//! What kind of network an address belongs to (RFC 6890 and the IANA special-purpose registries; SEC-08).
//!
//! Owns the tables. Everything that is not known to be public is not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How an address may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The open internet.
    Public,
    /// This machine.
    Loopback,
    /// A network of the operator's own; needs an allow rule.
    Private,
    /// Link-local, metadata services, multicast, reserved, documentation, translated forms of anything but public.
    /// No rule opens these.
    Never,
}

pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Instance metadata at addresses that look public or private: Azure, Alibaba, Oracle.
        [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => Reach::Never,
        [127, ..] => Reach::Loopback,
        [10, ..] | [192, 168, ..] => Reach::Private,
        [172, b, ..] if (16..=31).contains(&b) => Reach::Private,
        // Shared address space (RFC 6598) and the benchmarking range, which internal networks use.
        [100, b, ..] if (64..=127).contains(&b) => Reach::Private,
        [198, 18 | 19, ..] => Reach::Private,
        // This network, link-local with the metadata services, protocol assignments, documentation, 6to4 relays.
        [0, ..] | [169, 254, ..] | [192, 0, 0, _] | [192, 0, 2, _] | [192, 88, 99, _] => Reach::Never,
        [198, 51, 100, _] | [203, 0, 113, _] => Reach::Never,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Loopback,
        // IPv4-mapped, and NAT64 with the well-known prefix (RFC 6052): a detour to an IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => detour(high, low),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => detour(high, low),
        // The metadata service of EC2 over IPv6, inside the unique local range.
        [0xfd00, 0xec2, ..] => Reach::Never,
        [first, ..] if first & 0xfe00 == 0xfc00 => Reach::Private,
        // Protocol assignments with Teredo, documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0xdb8, ..] => Reach::Never,
        [0x3fff, second, ..] if second & 0xf000 == 0 => Reach::Never,
        // Global unicast is 2000::/3; all else is link-local, multicast, unspecified or reserved.
        [first, ..] if first & 0xe000 == 0x2000 => Reach::Public,
        _ => Reach::Never,
    }
}

/// A detour is for what could also be named directly and openly; anything else is hiding.
fn detour(high: u16, low: u16) -> Reach {
    let address = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    if reach_v4(address) == Reach::Public {
        Reach::Public
    } else {
        Reach::Never
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_are(expected: Reach, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn metadata_and_link_local_addresses_are_never_reached_sec_08() {
        all_are(
            Reach::Never,
            &[
                "169.254.169.254",
                "169.254.0.1",
                "168.63.129.16",
                "100.100.100.200",
                "192.0.0.192",
                "fe80::1",
                "fd00:ec2::254",
                "febf::1",
                "fec0::1",
            ],
        );
    }

    #[test]
    fn translated_forms_of_inner_addresses_are_never_reached_sec_08() {
        all_are(
            Reach::Never,
            &[
                "::ffff:127.0.0.1",
                "::ffff:10.0.0.1",
                "::ffff:169.254.169.254",
                "64:ff9b::7f00:1",
                "64:ff9b::169.254.169.254",
                "64:ff9b::10.0.0.1",
                "64:ff9b:1::1",
                "2002:7f00:1::",
                "2002:a00:1::1",
                "::127.0.0.1",
                "2001::1",
                "2001:0:a00:1::",
            ],
        );
        all_are(
            Reach::Public,
            &["64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2002:808:808::1"],
        );
    }

    #[test]
    fn special_use_addresses_are_never_reached_sec_08() {
        all_are(
            Reach::Never,
            &[
                "0.0.0.0",
                "0.1.2.3",
                "192.0.2.1",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "192.88.99.1",
                "::",
                "ff02::1",
                "2001:db8::1",
                "100::1",
                "5f00::1",
                "3fff:0fff::1",
            ],
        );
    }

    #[test]
    fn own_networks_are_private_and_this_machine_is_loopback() {
        all_are(
            Reach::Private,
            &[
                "10.0.0.1",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "100.64.0.1",
                "198.18.0.1",
                "fc00::1",
                "fdff::1",
            ],
        );
        all_are(Reach::Loopback, &["127.0.0.1", "127.255.255.255", "::1"]);
    }

    #[test]
    fn the_rest_is_public() {
        all_are(
            Reach::Public,
            &[
                "8.8.8.8",
                "172.15.0.1",
                "172.32.0.1",
                "100.63.0.1",
                "100.128.0.1",
                "192.0.1.1",
                "2600::1",
                "2a00:1450::1",
            ],
        );
    }
}
