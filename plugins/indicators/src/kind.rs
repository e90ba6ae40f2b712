//! The kinds of indicators, and sets of them.

/// What an indicator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// An IPv4 address in dotted form.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A host's name under a suffix of the Public Suffix List.
    Domain,
    /// A URL with one of the schemes of [`crate::url`].
    Url,
    /// An e-mail address.
    Email,
    /// 32 hexadecimal digits.
    Md5,
    /// 40 hexadecimal digits.
    Sha1,
    /// 64 hexadecimal digits.
    Sha256,
    /// The 32 digits after `IMPHASH=`, as Sysmon writes the hash of a file's import table.
    Imphash,
    /// A rooted path of Windows: drive, share, device or environment variable.
    WindowsPath,
    /// An absolute path of Unix under one of the usual top folders, or one under `~/`.
    UnixPath,
    /// A CVE number.
    Cve,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 12] = [
        Kind::Ipv4,
        Kind::Ipv6,
        Kind::Domain,
        Kind::Url,
        Kind::Email,
        Kind::Md5,
        Kind::Sha1,
        Kind::Sha256,
        Kind::Imphash,
        Kind::WindowsPath,
        Kind::UnixPath,
        Kind::Cve,
    ];

    /// Its name, as the option and the answer have it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Ipv4 => "ipv4",
            Kind::Ipv6 => "ipv6",
            Kind::Domain => "domain",
            Kind::Url => "url",
            Kind::Email => "email",
            Kind::Md5 => "md5",
            Kind::Sha1 => "sha1",
            Kind::Sha256 => "sha256",
            Kind::Imphash => "imphash",
            Kind::WindowsPath => "windows_path",
            Kind::UnixPath => "unix_path",
            Kind::Cve => "cve",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// Every kind.
    pub const ALL: Kinds = Kinds::of(&Kind::ALL);
    /// Both kinds of addresses.
    pub const ADDRESSES: Kinds = Kinds::of(&[Kind::Ipv4, Kind::Ipv6]);
    /// The kinds of hashes.
    pub const HASHES: Kinds = Kinds::of(&[Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Imphash]);
    /// Both kinds of paths.
    pub const PATHS: Kinds = Kinds::of(&[Kind::WindowsPath, Kind::UnixPath]);

    /// The set of these.
    pub const fn of(kinds: &[Kind]) -> Kinds {
        let mut bits = 0;
        let mut rest = kinds;
        while let [first, others @ ..] = rest {
            bits |= first.bit();
            rest = others;
        }
        Kinds(bits)
    }

    /// Whether a kind is in it.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// What is in both.
    pub const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// What is in either.
    pub const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Reads names with commas or spaces between them; `all`, `ip`, `hash` and `path` stand for several. The error says
    /// which word is none.
    pub fn parse(text: &str) -> Result<Kinds, String> {
        if text == "all" {
            return Ok(Kinds::ALL);
        }
        let words = text
            .split([',', ' '])
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let kinds = words
            .map(Kinds::word)
            .try_fold(Kinds(0), |all, one| Ok::<_, String>(all.or(one?)))?;
        match kinds.0 {
            0 => Err(unknown(text)),
            _ => Ok(kinds),
        }
    }

    fn word(word: &str) -> Result<Kinds, String> {
        match word {
            "all" => Ok(Kinds::ALL),
            "ip" => Ok(Kinds::ADDRESSES),
            "hash" => Ok(Kinds::HASHES),
            "path" => Ok(Kinds::PATHS),
            _ => Kind::ALL
                .into_iter()
                .find(|kind| kind.name() == word)
                .map(|kind| Kinds(kind.bit()))
                .ok_or_else(|| unknown(word)),
        }
    }
}

fn unknown(word: &str) -> String {
    let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    format!(
        "'{word}' is no kind of indicator: there are {}, and for several at once all, ip, hash and path",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_groups_are_read() {
        let both = Kinds::parse("ipv4, ipv6");
        assert_eq!(both, Ok(Kinds::ADDRESSES));
        assert_eq!(both, Kinds::parse("ip"));
        assert_eq!(Kinds::parse("hash path,all"), Ok(Kinds::ALL));
        for kind in Kind::ALL {
            assert_eq!(Kinds::parse(kind.name()), Ok(Kinds::of(&[kind])));
        }
    }

    #[test]
    fn what_is_no_kind_is_named() {
        for (text, word) in [("ipv4,dns", "'dns'"), ("", "''"), (" , ", "' , '")] {
            assert!(Kinds::parse(text).is_err_and(|message| message.starts_with(word)));
        }
    }
}
