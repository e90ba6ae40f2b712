//! Machines: each has a token, and a role of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::{AccessError, Machine};
use crate::caller::{Caller, Kind};
use crate::tokens::Tokens;

/// All of them.
#[derive(Debug)]
pub(crate) struct Machines {
    tokens: Tokens,
    callers: BTreeMap<String, Arc<Caller>>,
}

impl Machines {
    /// Those of the configuration.
    pub(crate) fn new(machines: &[Machine]) -> Result<Self, AccessError> {
        let entries = machines
            .iter()
            .map(|one| (one.name.as_str(), one.sha256.as_str()));
        let tokens = Tokens::of(entries).map_err(|name| AccessError::Hash(name.to_owned()))?;
        let mut callers = BTreeMap::new();
        for machine in machines {
            let caller = Caller {
                kind: Kind::Machine,
                subject: machine.name.clone(),
                name: machine.name.clone(),
                grants: vec![machine.grant()],
            };
            if callers
                .insert(machine.name.clone(), Arc::new(caller))
                .is_some()
            {
                return Err(AccessError::Twice(machine.name.clone()));
            }
        }
        Ok(Self { tokens, callers })
    }

    /// Whose token it is.
    pub(crate) fn of(&self, token: &str) -> Option<&Arc<Caller>> {
        self.callers.get(self.tokens.who(token)?)
    }
}
