//! What names mean besides columns and the catalogue's tables: `let` and `as` names and functions' parameters. A scope is a list
//! that grows at its head, so that a function keeps the scope of its definition.

use std::cell::Cell;
use std::rc::Rc;

use spoor_kql_syntax::ast::{Parameter, Query};

use super::relation::Relation;
use crate::typed::Typed;

/// The names in scope.
#[derive(Clone, Default)]
pub(super) struct Scope(Option<Rc<Node>>);

struct Node {
    name: String,
    entity: Entity,
    parent: Scope,
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Entity {
    /// A scalar: a constant, or in a function's body an argument.
    Scalar(Typed),
    /// A tabular expression.
    Table(Relation),
    /// A function or a view.
    Function(Rc<Function>),
    /// What did not bind, which has been reported: its uses are no further mistakes.
    Unknown,
}

/// A function of the query's.
pub(super) struct Function {
    pub view: bool,
    pub parameters: Vec<Parameter>,
    pub body: Query,
    /// The names at its definition.
    pub scope: Scope,
    /// Whether it gives a table, once that has been asked.
    pub tabular: Cell<Option<bool>>,
}

impl Function {
    pub(super) fn new(view: bool, parameters: &[Parameter], body: &Query, scope: &Scope) -> Self {
        Self {
            view,
            parameters: parameters.to_vec(),
            body: body.clone(),
            scope: scope.clone(),
            tabular: Cell::new(None),
        }
    }
}

impl Scope {
    pub(super) fn root() -> Self {
        Self::default()
    }

    pub(super) fn with(&self, name: &str, entity: Entity) -> Scope {
        Scope(Some(Rc::new(Node {
            name: name.to_owned(),
            entity,
            parent: self.clone(),
        })))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entity> {
        self.nodes()
            .find(|node| node.name == name)
            .map(|node| &node.entity)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &Entity)> {
        self.nodes().map(|node| (node.name.as_str(), &node.entity))
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.0.as_deref(), |node| node.parent.0.as_deref())
    }
}

impl Drop for Node {
    /// Unlinks a long list step by step: dropping it recursively could overflow the stack.
    fn drop(&mut self) {
        let mut next = self.parent.0.take();
        while let Some(mut node) = next.and_then(Rc::into_inner) {
            next = node.parent.0.take();
        }
    }
}
