//! Attempts to sign in that wait for their browser to come back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use spoor_signin::Attempt;

use crate::ids::{Hash, Id};

/// How long a person may take at the authority.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// How many may wait. The oldest gives way.
const MOST: usize = 10_000;

/// One that waits, and where its person wanted to go.
pub(crate) struct Waiting {
    pub(crate) attempt: Attempt,
    pub(crate) to: String,
    begun: Instant,
}

/// All of them, by the hash of their browser's cookie.
#[derive(Default)]
pub(crate) struct Attempts(HashMap<Hash, Waiting>);

impl Attempts {
    /// Keeps an attempt under a new name.
    pub(crate) fn keep(
        &mut self,
        attempt: Attempt,
        to: String,
        now: Instant,
    ) -> Result<Id, getrandom::Error> {
        let id = Id::new()?;
        self.0
            .retain(|_, waiting| now.duration_since(waiting.begun) < PATIENCE);
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, waiting)| waiting.begun);
            if let Some((&oldest, _)) = oldest {
                self.0.remove(&oldest);
            }
        }
        let begun = now;
        self.0.insert(id.hash(), Waiting { attempt, to, begun });
        Ok(id)
    }

    /// The attempt of this cookie that `state` belongs to, once: it is not kept any longer.
    pub(crate) fn take(&mut self, cookie: &str, state: &str, now: Instant) -> Option<Waiting> {
        let hash = Hash::of(cookie);
        let waiting = self.0.get(&hash)?;
        let good = waiting.attempt.is_of(state) && now.duration_since(waiting.begun) < PATIENCE;
        if good { self.0.remove(&hash) } else { None }
    }
}
