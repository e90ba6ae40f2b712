//! The gate that a plugin passes before it runs, and that its answers pass before they are believed.
//!
//! A plugin is a WebAssembly module from someone whom nobody here knows. The kernel takes it through here in four steps,
//! none of which needs an engine: [`admit`] looks at the bytes and refuses what breaks a rule, [`Trust::decide`] says
//! whether the user has to be asked, [`meter`] rewrites the module so that it counts its own instructions and its own
//! stack, and [`answer`] holds what a call returned against what the manifest declares. Nothing here runs a plugin, opens
//! a file or asks the time; nothing here panics, whatever the bytes are.
#![forbid(unsafe_code)]

mod admit;
pub mod answer;
mod meter;
mod policy;
mod refusal;
mod trap;

pub use admit::{Admitted, admit};
pub use meter::{
    DEFAULT_STACK, FUEL_EXPORT, Limits, MAX_FUEL, Metered, REASON_EXPORT, fuel_used, meter,
};
pub use policy::Policy;
pub use refusal::{Refusal, Rule};
pub use spoor_registry::{
    Ask, Decision, Grounds, Identity, Label, PublicKey, SigningError, Stop, Trust, public_key, sign,
};
pub use trap::{Reason, Trap};
