//! Sessions of people who signed in, in memory alone: all of them end with the server.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::access::SessionSettings;
use crate::caller::Caller;
use crate::ids::{Hash, Id};
use crate::token::UserToken;

/// Whose session it is, and the token that workspaces are asked with, where one is kept.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) caller: Arc<Caller>,
    pub(crate) token: Option<UserToken>,
}

/// A person's session.
pub(crate) struct Session {
    signed: Signed,
    begun: Instant,
    seen: Instant,
}

impl Session {
    fn goes_on(&self, settings: &SessionSettings, now: Instant) -> bool {
        now.duration_since(self.seen) < settings.idle()
            && now.duration_since(self.begun) < settings.lifetime()
    }
}

/// All of them, by the hash of their cookie.
pub(crate) struct Sessions {
    settings: SessionSettings,
    open: HashMap<Hash, Session>,
}

impl Sessions {
    pub(crate) fn new(settings: SessionSettings) -> Self {
        Self {
            settings,
            open: HashMap::new(),
        }
    }

    /// Begins a session under a new name. Where there are too many, of this person or at all, the one that was silent longest ends.
    pub(crate) fn begin(&mut self, signed: Signed, now: Instant) -> Result<Id, getrandom::Error> {
        let id = Id::new()?;
        self.sweep(now);
        let subject = signed.caller.subject.clone();
        let (each, all) = (self.settings.each, self.settings.at_once);
        self.make_room(each, |session| session.signed.caller.subject == subject);
        self.make_room(all, |_| true);
        let session = Session {
            signed,
            begun: now,
            seen: now,
        };
        self.open.insert(id.hash(), session);
        Ok(id)
    }

    /// The session of this cookie, if it goes on. It was seen just now.
    pub(crate) fn of(&mut self, cookie: &str, now: Instant) -> Option<Signed> {
        let hash = Hash::of(cookie);
        if !self.open.get(&hash)?.goes_on(&self.settings, now) {
            self.open.remove(&hash);
            return None;
        }
        let session = self.open.get_mut(&hash)?;
        session.seen = now;
        Some(session.signed.clone())
    }

    /// Ends the session of this cookie, if there is one.
    pub(crate) fn end(&mut self, cookie: &str) -> Option<Arc<Caller>> {
        let ended = self.open.remove(&Hash::of(cookie))?;
        Some(ended.signed.caller)
    }

    /// When the session of this cookie ends at the latest, from `now` on.
    pub(crate) fn left(&self, cookie: &str, now: Instant) -> Option<Duration> {
        let session = self.open.get(&Hash::of(cookie))?;
        Some((session.begun + self.settings.lifetime()).saturating_duration_since(now))
    }

    fn sweep(&mut self, now: Instant) {
        let settings = self.settings;
        self.open
            .retain(|_, session| session.goes_on(&settings, now));
    }

    /// Ends the silent ones of those that count until there is room for one more among `most`.
    fn make_room(&mut self, most: usize, counts: impl Fn(&Session) -> bool) {
        loop {
            let counted = self.open.iter().filter(|(_, session)| counts(session));
            let (mut count, mut silent) = (0, None);
            for (hash, session) in counted {
                count += 1;
                if silent.is_none_or(|(_, seen)| session.seen < seen) {
                    silent = Some((*hash, session.seen));
                }
            }
            match silent {
                Some((hash, _)) if count >= most => self.open.remove(&hash),
                _ => return,
            };
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions({})", self.open.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Kind;

    fn caller(subject: &str) -> Signed {
        let caller = Caller {
            kind: Kind::Person,
            subject: subject.to_owned(),
            name: subject.to_owned(),
            grants: Vec::new(),
        };
        Signed {
            caller: Arc::new(caller),
            token: None,
        }
    }

    fn sessions() -> Sessions {
        Sessions::new(SessionSettings {
            idle_seconds: 60,
            lifetime_seconds: 150,
            at_once: 3,
            each: 2,
        })
    }

    #[test]
    fn they_end_when_silent_and_after_their_time() {
        let (mut sessions, begun) = (sessions(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        let id = sessions.begin(caller("anna"), begun).unwrap();
        // Each request keeps it, but not beyond its lifetime.
        for (seconds, good) in [
            (0, true),
            (59, true),
            (118, true),
            (149, true),
            (150, false),
        ] {
            let found = sessions.of(id.expose(), after(seconds)).is_some();
            assert_eq!(found, good, "{seconds}");
        }
        let id = sessions.begin(caller("anna"), begun).unwrap();
        assert!(sessions.of(id.expose(), after(60)).is_none());
        assert!(sessions.open.is_empty());
    }

    #[test]
    fn one_that_ended_is_gone() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let id = sessions.begin(caller("anna"), now).unwrap();
        assert!(sessions.of("", now).is_none() && sessions.of("x", now).is_none());
        assert_eq!(sessions.end(id.expose()).unwrap().subject, "anna");
        assert!(sessions.of(id.expose(), now).is_none());
    }

    #[test]
    fn there_is_room_for_so_many() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let mut begin = |subject, seconds| {
            let at = now + Duration::from_secs(seconds);
            sessions.begin(caller(subject), at).unwrap()
        };
        let [one, two, three] = [0, 1, 2].map(|seconds| begin("anna", seconds));
        let (four, five) = (begin("ben", 3), begin("cleo", 4));
        let goes_on = |id: &Id| sessions.open.contains_key(&id.hash());
        assert_eq!(
            [&one, &two, &three, &four, &five].map(goes_on),
            [false, false, true, true, true]
        );
    }
}
