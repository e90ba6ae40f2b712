//! What `spoor serve` has beside the page: a folder of notebooks on the computer, by HTTP.
//!
//! Who may ask is the browser's to know: the cookie that it got with the printed address goes with each
//! request by itself, and no code of the page sees it.

mod client;
mod folder;
mod panel;

pub use client::{About, Client, Expected, Listed};
pub use folder::{Folder, address};
pub use panel::{Panel, mount};

/// The header by which `spoor serve` says where its interface is, relative to the page.
pub const MARK: &str = "x-spoor-api";

/// The header by which it says that people sign in there.
pub const DOOR: &str = "x-spoor-door";

/// The folder that a path's notebook is in, with its `/`, and the file's name.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |at| at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        assert_eq!(split("a.ipynb"), ("", "a.ipynb"));
        assert_eq!(split("deep/er/a.ipynb"), ("deep/er/", "a.ipynb"));
    }
}
