//! What the page knows of plugins: what the user said of them, what the site offers, and the words for both.

mod offers;
mod remembered;
mod words;

pub use offers::Offers;
pub use remembered::Remembered;
pub use words::{Question, line, question, untrusted};
