//! What is remembered of a registry, so that its key is trusted once and its index never goes back.

use serde::{Deserialize, Serialize};

use crate::index::SignedIndex;
use crate::keys::PublicKey;

/// What is known of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its key, which the user trusted once.
    pub key: PublicKey,
    /// The highest serial of an index that was seen.
    pub serial: u64,
}

/// Why an index whose signature is good is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// It is signed by `signed`, and not by the key that the user gave.
    NotTheGiven {
        /// Who signed it.
        signed: PublicKey,
    },
    /// Nobody here knows the key that signed it.
    Unknown {
        /// Who signed it.
        signed: PublicKey,
    },
    /// It was another key's before.
    Changed {
        /// Who signed it.
        signed: PublicKey,
        /// Who signed those before.
        before: PublicKey,
    },
    /// It is older than one that was seen.
    Older {
        /// Its serial.
        serial: u64,
        /// The serial that was seen.
        seen: u64,
    },
}

impl Known {
    /// What is known of a registry once it shows this index. `given` is the key that the user says it has.
    ///
    /// # Errors
    /// The index is not to be believed.
    pub fn see(
        before: Option<&Known>,
        given: Option<PublicKey>,
        shown: &SignedIndex,
    ) -> Result<Known, Untrusted> {
        let (signed, serial) = (shown.key, shown.index.serial);
        match (given, before.map(|known| known.key)) {
            (Some(given), _) if given != signed => return Err(Untrusted::NotTheGiven { signed }),
            (None, None) => return Err(Untrusted::Unknown { signed }),
            (None, Some(before)) if before != signed => {
                return Err(Untrusted::Changed { signed, before });
            }
            _ => {}
        }
        let seen = before.filter(|known| known.key == signed);
        let seen = seen.map_or(0, |known| known.serial);
        if serial < seen {
            return Err(Untrusted::Older { serial, seen });
        }
        Ok(Known {
            key: signed,
            serial,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;
    use crate::keys::public_key;

    fn shown(key: u8, serial: u64) -> SignedIndex {
        SignedIndex {
            key: public_key(&[key; 32]),
            index: Index {
                serial,
                ..Index::new()
            },
        }
    }

    #[test]
    fn a_key_is_trusted_once_and_an_index_never_goes_back() {
        let (one, two) = (public_key(&[1; 32]), public_key(&[2; 32]));
        let first = shown(1, 5);
        assert_eq!(
            Known::see(None, None, &first),
            Err(Untrusted::Unknown { signed: one })
        );
        assert_eq!(
            Known::see(None, Some(two), &first),
            Err(Untrusted::NotTheGiven { signed: one })
        );
        let known = Known {
            key: one,
            serial: 5,
        };
        assert_eq!(Known::see(None, Some(one), &first), Ok(known.clone()));
        assert_eq!(Known::see(Some(&known), None, &first), Ok(known.clone()));
        assert_eq!(
            Known::see(Some(&known), None, &shown(1, 4)),
            Err(Untrusted::Older { serial: 4, seen: 5 })
        );
        assert_eq!(
            Known::see(Some(&known), None, &shown(2, 9)),
            Err(Untrusted::Changed {
                signed: two,
                before: one
            })
        );
        // A key that the user says has changed begins its own count.
        let moved = Known {
            key: two,
            serial: 1,
        };
        assert_eq!(Known::see(Some(&known), Some(two), &shown(2, 1)), Ok(moved));
    }
}
