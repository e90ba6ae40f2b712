//! When a notebook is saved. Knows no browser: time comes in, and what to do comes back.
//!
//! A save begins within [`DELAY`] of an edit, at once when the page is left, and never while
//! another is on its way; what is typed meanwhile is saved next. A save that failed is tried again
//! when that may help, later each time; the text is the caller's and stays where it is.

use super::StoreError;

/// How long after an edit it is saved, in milliseconds.
pub const DELAY: f64 = 1500.0;
/// How long after a failure it is tried again, at first and at most, in milliseconds.
const RETRY: f64 = 3000.0;
const RETRY_MOST: f64 = 60_000.0;

/// What the user is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum SaveState {
    /// Everything is saved.
    Saved,
    /// Something is not, and will be in a moment.
    Unsaved,
    /// A save is on its way.
    Saving,
    /// The last save failed. What was typed is in this tab alone.
    Failed(StoreError),
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Do {
    /// Nothing.
    Nothing,
    /// Ask again ([`Autosave::tick`]) after so many milliseconds.
    Wait(f64),
    /// Save, and tell how it went ([`Autosave::ended`]).
    Save,
}

/// The state of a notebook's saving.
#[derive(Debug, Default)]
pub struct Autosave {
    /// Counts edits.
    edits: u64,
    /// The edits that are saved.
    saved: u64,
    /// The edits in the save that is on its way.
    saving: Option<u64>,
    /// When the next save is due.
    due: Option<f64>,
    failed: Option<StoreError>,
    failures: i32,
}

impl Autosave {
    /// Something has changed.
    pub fn edited(&mut self, now: f64) -> Do {
        self.edits += 1;
        if self.due.is_none() && !self.is_stuck() {
            self.due = Some(now + DELAY);
        }
        self.tick(now)
    }

    /// Something has changed that may not be saved now: another tab edits the notebook.
    pub fn noted(&mut self) {
        self.edits += 1;
    }

    /// The time has come that [`Do::Wait`] named.
    pub fn tick(&mut self, now: f64) -> Do {
        match self.due {
            _ if self.saving.is_some() || self.is_saved() => Do::Nothing,
            Some(due) if due <= now => self.begin(),
            Some(due) => Do::Wait(due - now),
            None => Do::Nothing,
        }
    }

    /// The user asks to save: what is not saved is, at once.
    pub fn flush(&mut self, now: f64) -> Do {
        if !self.is_saved() {
            self.due = Some(now);
        }
        self.tick(now)
    }

    /// The page loses the focus, or is being left: as [`Autosave::flush`], but what only the user
    /// can settle is not tried again.
    pub fn leave(&mut self, now: f64) -> Do {
        match self.is_stuck() {
            true => Do::Nothing,
            false => self.flush(now),
        }
    }

    /// A save has ended after another tab began to edit: none is begun in its place.
    pub fn ended_apart(&mut self, done: bool) {
        if let Some(edits) = self.saving.take()
            && done
        {
            self.saved = edits;
        }
        self.due = None;
    }

    /// A save has ended.
    pub fn ended(&mut self, result: Result<(), StoreError>, now: f64) -> Do {
        let Some(edits) = self.saving.take() else {
            return Do::Nothing;
        };
        match result {
            Ok(()) => {
                self.saved = edits;
                self.failed = None;
                self.failures = 0;
            }
            Err(error) => {
                let pause = (RETRY * 2_f64.powi(self.failures.min(8))).min(RETRY_MOST);
                self.due = error.may_pass().then_some(now + pause);
                self.failures += 1;
                self.failed = Some(error);
            }
        }
        self.tick(now)
    }

    /// What the user is shown.
    pub fn state(&self) -> SaveState {
        match &self.failed {
            _ if self.saving.is_some() => SaveState::Saving,
            _ if self.is_saved() => SaveState::Saved,
            Some(error) => SaveState::Failed(error.clone()),
            None => SaveState::Unsaved,
        }
    }

    /// Whether nothing would be lost if the tab ended now.
    pub fn is_saved(&self) -> bool {
        self.saved == self.edits
    }

    /// After a failure that only the user can end, waits for [`Autosave::flush`].
    fn is_stuck(&self) -> bool {
        self.failed.as_ref().is_some_and(|error| !error.may_pass())
    }

    fn begin(&mut self) -> Do {
        self.due = None;
        self.saving = Some(self.edits);
        Do::Save
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> StoreError {
        StoreError::Quota {
            needed: None,
            free: None,
        }
    }

    #[test]
    fn an_edit_is_saved_within_two_seconds_however_fast_others_follow() {
        let mut autosave = Autosave::default();
        assert_eq!(autosave.state(), SaveState::Saved);
        assert_eq!(autosave.edited(0.0), Do::Wait(DELAY));
        assert_eq!(autosave.edited(1000.0), Do::Wait(DELAY - 1000.0));
        assert_eq!(autosave.state(), SaveState::Unsaved);
        assert_eq!(autosave.edited(DELAY), Do::Save);
        assert_eq!(autosave.state(), SaveState::Saving);
        assert_eq!(autosave.ended(Ok(()), 1600.0), Do::Nothing);
        assert_eq!(autosave.state(), SaveState::Saved);
    }

    #[test]
    fn what_is_typed_during_a_save_is_saved_next() {
        let mut autosave = Autosave::default();
        autosave.edited(0.0);
        assert_eq!(autosave.tick(DELAY), Do::Save);
        assert_eq!(autosave.edited(1600.0), Do::Nothing);
        // Never two at once, not even when the page is left.
        assert_eq!(autosave.leave(1700.0), Do::Nothing);
        assert_eq!(autosave.ended(Ok(()), 1800.0), Do::Save);
        autosave.ended(Ok(()), 1900.0);
        assert!(autosave.is_saved());
    }

    #[test]
    fn a_save_that_failed_is_tried_again_ever_later() {
        let mut autosave = Autosave::default();
        autosave.edited(0.0);
        autosave.flush(0.0);
        assert_eq!(autosave.ended(Err(full()), 10.0), Do::Wait(RETRY));
        assert_eq!(autosave.state(), SaveState::Failed(full()));
        assert_eq!(autosave.tick(10.0 + RETRY), Do::Save);
        assert_eq!(autosave.ended(Err(full()), 4000.0), Do::Wait(2.0 * RETRY));
        // Typing neither hastens nor stops it.
        assert_eq!(autosave.edited(5000.0), Do::Wait(2.0 * RETRY - 1000.0));
        assert_eq!(autosave.tick(20_000.0), Do::Save);
        assert_eq!(autosave.ended(Ok(()), 20_001.0), Do::Nothing);
        assert_eq!(autosave.state(), SaveState::Saved);
    }

    #[test]
    fn a_conflict_waits_for_the_user() {
        let conflict = StoreError::Conflict { latest: 7 };
        let mut autosave = Autosave::default();
        autosave.edited(0.0);
        autosave.flush(0.0);
        assert_eq!(autosave.ended(Err(conflict.clone()), 10.0), Do::Nothing);
        assert_eq!(autosave.edited(20.0), Do::Nothing);
        assert_eq!(autosave.state(), SaveState::Failed(conflict));
        assert_eq!(autosave.leave(30.0), Do::Nothing);
        assert_eq!(autosave.flush(40.0), Do::Save);
    }

    #[test]
    fn nothing_is_saved_where_nothing_changed() {
        let mut autosave = Autosave::default();
        assert_eq!(autosave.flush(0.0), Do::Nothing);
        assert_eq!(autosave.ended(Ok(()), 0.0), Do::Nothing);
    }
}
