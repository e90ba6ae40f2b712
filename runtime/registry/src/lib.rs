//! Which module a plugin is, who signed it, which registry vouches for it, and whether its user has to be asked.
//!
//! Shared by the gate, the command line and the page, so that all three read one signature, one index and one decision.
//! Nothing here looks into a module's code: a [`Label`] is what it says of itself, and the gate alone says whether that is true.
//! Nothing opens a file, asks the time or panics, whatever the bytes are.
#![forbid(unsafe_code)]

mod identity;
mod index;
mod keys;
mod known;
mod label;
mod signature;
mod trust;

pub use identity::{Identity, NotHex};
pub use index::{
    Documented, Entry, INDEX_FILE, Index, IndexError, MAX_INDEX, SignedIndex, Version, is_inside,
};
pub use keys::{PublicKey, public_key, sign_bytes, verifies};
pub use known::{Known, Untrusted};
pub use label::{Label, LabelError};
pub use signature::{BadSignature, SigningError, sign, verify};
pub use trust::{Ask, Decision, Grounds, Stop, Trust};
