//! What the File menu and the palette do with notebooks as files.

use std::rc::Rc;

use spoor_model::Command;

use super::{open, save_as};
use crate::files::{Choice, Files};
use crate::notebook::Screen;
use crate::toast;

/// Carries out a command of the File category that needs the storage; false for any other.
pub fn carry_out(screen: &Rc<Screen>, command: Command) -> bool {
    match command {
        Command::Save => match screen.own() {
            Some(own) => own.save(),
            None => save_as(screen, "Save the notebook"),
        },
        Command::SaveCopy => save_as(screen, "Save a copy"),
        Command::Open => open::open(screen),
        Command::Rename => match (screen.entry(), screen.own()) {
            (Some(entry), _) => with_files(screen, |files| files.rename(entry)),
            (None, Some(_)) => toast::show(
                "This notebook is a file of the computer's: rename it in its folder.",
                None,
            ),
            (None, None) => save_as(screen, "Save the notebook"),
        },
        Command::Versions => match (screen.entry(), screen.own()) {
            (Some(entry), _) => with_files(screen, |files| files.versions(entry)),
            (None, Some(_)) => toast::show(
                "This notebook is a file of the computer's: its folder has what there is of it.",
                None,
            ),
            (None, None) => toast::show("A notebook has versions once it is saved.", None),
        },
        Command::New => with_files(screen, Files::new_notebook),
        Command::Import => with_files(screen, |files| files.choose(Choice::Any)),
        Command::ImportFolder => with_files(screen, |files| files.choose(Choice::Folder)),
        Command::ImportLink => with_files(screen, Files::import_link),
        Command::ExportAll => with_files(screen, Files::export_all),
        Command::ToggleFiles => screen.with_beside(|beside| beside.toggle()),
        _ => return false,
    }
    true
}

fn with_files(screen: &Rc<Screen>, work: impl FnOnce(&Files)) {
    screen.with_beside(|beside| beside.with_files(work));
}
