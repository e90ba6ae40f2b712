//! Trees as rows of the answer.

use spoor_plugin::At;

use crate::Placed;
use crate::event::{Events, Id};
use crate::link::{Inferred, Parent, parents};
use crate::rare::{Pair, measure};
use crate::tree::{Forest, Node, grow};

/// The most programs in a path, the sign for those left out among them.
const PATH: usize = 32;
/// The most characters of a program's name.
const NAME: usize = 80;
/// The most levels that an outline is indented by.
const INDENTED: usize = 24;
/// The most bytes of all paths and outlines.
const MOST_BYTES: usize = 24 << 20;

/// The events, their parents and their trees.
struct Shown<'e> {
    events: &'e Events<'e>,
    parents: Vec<Parent>,
    inferred: Vec<Inferred>,
    forest: Forest,
}

/// A row for each event, in the trees' order.
pub fn trees(events: &Events<'_>, slack: i64, rare: f64) -> Result<Vec<At<Placed>>, String> {
    let (parents, inferred) = parents(&events.list, slack);
    let forest = grow(&parents, inferred.len());
    let shown = Shown {
        events,
        parents,
        inferred,
        forest,
    };
    let pairs = measure(&shown.pairs());
    let (mut rows, mut bytes) = (Vec::with_capacity(events.list.len()), 0);
    for node in &shown.forest.order {
        let pair = pairs.get(*node).copied().flatten();
        let Some(row) = shown.row(*node, pair, rare) else {
            continue;
        };
        bytes += row.value.path.len() + row.value.outline.len();
        if bytes > MOST_BYTES {
            return Err(format!(
                "the paths and outlines of these {} processes take more than {} MiB: give fewer rows, as those of fewer hosts",
                events.list.len(),
                MOST_BYTES >> 20
            ));
        }
        rows.push(row);
    }
    Ok(rows)
}

impl Shown<'_> {
    /// The programs of each event's parent and its own.
    fn pairs(&self) -> Vec<Option<(u32, u32)>> {
        let program = |parent: &Parent| match parent {
            Parent::None => None,
            Parent::Seen(place) => self.events.list.get(*place)?.name,
            Parent::Inferred(number) => self.inferred.get(*number)?.name,
        };
        self.parents
            .iter()
            .zip(&self.events.list)
            .map(|(parent, event)| Some((program(parent)?, event.name?)))
            .collect()
    }

    /// The answer's row of a node; `None` of an inferred process, which has none.
    fn row(&self, node: usize, pair: Option<Pair>, rare: f64) -> Option<At<Placed>> {
        let event = self.events.list.get(node)?;
        let held = self.forest.nodes.get(node)?;
        let parent = self.parents.get(node)?;
        let parent_row = match parent {
            Parent::Seen(place) => self.events.list.get(*place).map(|parent| parent.row.into()),
            _ => None,
        };
        let size = self.forest.sizes.get(held.tree as usize);
        Some(At {
            row: event.row,
            value: Placed {
                tree: held.tree.into(),
                tree_size: size.copied().unwrap_or(0).into(),
                depth: i32::try_from(held.depth).unwrap_or(i32::MAX),
                outline: self.outline(node, held),
                path: self.path(node, held),
                row: event.row.into(),
                parent_row,
                parent_inferred: matches!(parent, Parent::Inferred(_)),
                children: held.children.into(),
                descendants: held.descendants.into(),
                pair_count: pair.map(|pair| pair.count.into()),
                pair_rarity: pair.map(|pair| pair.rarity),
                rare_pair: pair.is_some_and(|pair| pair.rarity <= rare),
            },
        })
    }

    /// The program, after a line for each level above it, and a corner. Before that of an inferred root's child, the root in
    /// parentheses, since it has no row of its own.
    fn outline(&self, node: usize, held: &Node) -> String {
        let depth = (held.depth as usize).min(INDENTED);
        let mut text = String::with_capacity(depth * 4 + 32);
        if let Some(root) = held
            .parent
            .filter(|parent| *parent >= self.events.list.len())
        {
            text.push('(');
            self.name(root, &mut text);
            text.push_str(") ");
        }
        text.extend(std::iter::repeat_n("│ ", depth.saturating_sub(1)));
        text += if depth > 0 { "└ " } else { "" };
        self.name(node, &mut text);
        text
    }

    fn path(&self, node: usize, held: &Node) -> String {
        let above = std::iter::successors(Some(node), |node| self.forest.nodes.get(*node)?.parent);
        let deep = held.depth as usize + 1 > PATH;
        let nearest = if deep { PATH - 2 } else { PATH };
        let mut nodes: Vec<usize> = above.take(nearest).collect();
        nodes.reverse();
        let mut text = String::with_capacity(nodes.len() * 20);
        if deep {
            self.name(self.root(held), &mut text);
            text.push_str(" > …");
        }
        for node in nodes {
            if !text.is_empty() {
                text.push_str(" > ");
            }
            self.name(node, &mut text);
        }
        text
    }

    /// The root of a node's tree.
    fn root(&self, of: &Node) -> usize {
        let first = self.forest.roots.get(of.tree as usize);
        first.copied().unwrap_or(0)
    }

    /// Appends the program of a node, or the id of one whose program is not known.
    fn name(&self, node: usize, text: &mut String) {
        let program = match self.events.list.get(node) {
            Some(event) => Some(event.program),
            None => self
                .inferred_at(node)
                .and_then(|process| process.name)
                .map(|name| self.events.names.text(name)),
        };
        if let Some(program) = program.filter(|program| !program.is_empty()) {
            text.push_str(short(program));
            return;
        }
        let id = self.inferred_at(node).map(|process| process.id as usize);
        match id.and_then(|id| self.events.ids.get(id)) {
            Some(Id::Number(number)) => text.push_str(&number.to_string()),
            Some(Id::Text(id)) => text.push_str(short(id)),
            None => text.push('?'),
        }
    }

    fn inferred_at(&self, node: usize) -> Option<&Inferred> {
        let number = node.checked_sub(self.events.list.len())?;
        self.inferred.get(number)
    }
}

/// The first characters of a name, as many as it may have.
fn short(name: &str) -> &str {
    // Most are shorter in bytes already.
    match name.len() > NAME {
        true => name
            .char_indices()
            .nth(NAME)
            .and_then(|(at, _)| name.get(..at))
            .unwrap_or(name),
        false => name,
    }
}
