//! A notebook as something else: a Python script, and a link that holds it.

mod link;
mod python;

pub use link::{LinkError, MAX_LINK, MAX_NOTEBOOK, decode_link, encode_link};
pub use python::to_python;
