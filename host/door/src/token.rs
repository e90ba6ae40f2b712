//! People's own access tokens, where workspaces are asked with them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spoor_signin::Secret;

/// Somebody's access token, as the authority gave it at the sign-in. The handlers of guarded routes find it among a request's
/// extensions, where the access file has a workspace that is asked with it.
#[derive(Clone)]
pub struct UserToken {
    secret: Arc<Secret>,
    ends: Option<Instant>,
}

impl UserToken {
    pub(crate) fn new(secret: Secret, lifetime: Option<Duration>, now: Instant) -> Self {
        Self {
            secret: Arc::new(secret),
            ends: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
        }
    }

    /// The token, for the requests that carry it; `None` once its time is over.
    pub fn secret(&self) -> Option<&Secret> {
        let over = self.ends.is_some_and(|ends| Instant::now() >= ends);
        (!over).then_some(self.secret.as_ref())
    }
}

impl fmt::Debug for UserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_and_is_not_shown() {
        let token = |lifetime| {
            let secret = Secret::new("canary".to_owned());
            UserToken::new(secret, lifetime, Instant::now())
        };
        assert!(token(None).secret().is_some());
        assert!(token(Some(Duration::from_secs(60))).secret().is_some());
        assert!(token(Some(Duration::ZERO)).secret().is_none());
        assert_eq!(format!("{:?}", token(None)), "UserToken(..)");
    }
}
