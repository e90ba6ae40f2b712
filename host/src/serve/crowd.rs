//! How many queries each caller may have under way, so that none takes all the places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Queries of one caller that run or wait for their turn.
const EACH: usize = 4;

/// The callers that have some under way, by subject, and how many.
#[derive(Default)]
pub struct Crowd(Mutex<HashMap<String, usize>>);

/// One under way; it is over when this is dropped.
pub struct Entry {
    crowd: Arc<Crowd>,
    subject: String,
}

impl Crowd {
    /// Lets one more query in; none where the caller has as many as may be.
    pub fn enter(self: &Arc<Self>, subject: &str) -> Option<Entry> {
        let mut counts = self.counts();
        let count = counts.entry(subject.to_owned()).or_default();
        if *count >= EACH {
            return None;
        }
        *count += 1;
        Some(Entry {
            crowd: self.clone(),
            subject: subject.to_owned(),
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts();
        if let Some(count) = counts.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_has_so_many_and_gets_them_back() {
        let crowd = Arc::new(Crowd::default());
        let mut held: Vec<Entry> = (0..EACH).map(|_| crowd.enter("ana").unwrap()).collect();
        assert!(crowd.enter("ana").is_none());
        assert!(crowd.enter("ben").is_some());
        held.pop();
        assert!(crowd.enter("ana").is_some());
        drop(held);
        assert!(crowd.counts().is_empty());
    }
}
