//! The trees: their order, depths and sizes.

use crate::link::Parent;

/// A node of a tree: an event, or a process inferred from its children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The parent's node.
    pub parent: Option<usize>,
    /// The tree, from 0.
    pub tree: u32,
    /// Steps from the root, which is 0.
    pub depth: u32,
    /// How many it started.
    pub children: u32,
    /// How many it started, or what it started did.
    pub descendants: u32,
}

/// The nodes of all trees.
#[derive(Debug, Default)]
pub struct Forest {
    /// The events' nodes, by their places, then the inferred processes', by their numbers.
    pub nodes: Vec<Node>,
    /// The nodes tree by tree, parents before children, and children in the order of time.
    pub order: Vec<usize>,
    /// How many events each tree has.
    pub sizes: Vec<u32>,
    /// The root of each tree.
    pub roots: Vec<usize>,
}

/// Children of nodes, by parent: one list, and where each parent's begin in it.
struct Children {
    starts: Vec<usize>,
    list: Vec<usize>,
}

impl Children {
    fn new(nodes: &[Node]) -> Self {
        let mut children: Vec<(usize, usize)> = nodes
            .iter()
            .enumerate()
            .filter_map(|(node, held)| Some((held.parent?, node)))
            .collect();
        // By parent, then by place, which is the order of time.
        children.sort_unstable();
        let starts = (0..=nodes.len())
            .scan(0, |start, parent| {
                while children.get(*start).is_some_and(|child| child.0 < parent) {
                    *start += 1;
                }
                Some(*start)
            })
            .collect();
        let list = children.into_iter().map(|(_, child)| child).collect();
        Children { starts, list }
    }

    fn of(&self, node: usize) -> &[usize] {
        let start = self.starts.get(node).copied().unwrap_or(0);
        let end = self.starts.get(node + 1).copied().unwrap_or(start);
        self.list.get(start..end).unwrap_or(&[])
    }
}

/// The trees of processes whose parents are `parents`, of which none goes round, with `inferred` more.
pub fn grow(parents: &[Parent], inferred: usize) -> Forest {
    let parent = |parent: &Parent| match parent {
        Parent::None => None,
        Parent::Seen(place) => Some(*place),
        Parent::Inferred(number) => Some(parents.len() + number),
    };
    let known = parents.iter().map(parent);
    let none = std::iter::repeat_n(None, inferred);
    let mut nodes: Vec<Node> = known
        .chain(none)
        .map(|parent| Node {
            parent,
            ..Node::default()
        })
        .collect();
    let children = Children::new(&nodes);
    let mut forest = Forest {
        roots: roots(&nodes, &children, parents.len()),
        ..Forest::default()
    };
    forest.walk(&mut nodes, &children, parents.len());
    count(&mut nodes, &forest.order);
    forest.nodes = nodes;
    forest
}

/// The roots, where an inferred process comes where its first child does.
fn roots(nodes: &[Node], children: &Children, events: usize) -> Vec<usize> {
    let mut roots: Vec<(usize, usize)> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.parent.is_none())
        .filter_map(|(node, _)| match node < events {
            true => Some((node, node)),
            false => Some((*children.of(node).first()?, node)),
        })
        .collect();
    roots.sort_unstable();
    roots.into_iter().map(|(_, root)| root).collect()
}

impl Forest {
    /// Numbers trees and depths from the roots, and notes the order of nodes and the trees' sizes.
    fn walk(&mut self, nodes: &mut [Node], children: &Children, events: usize) {
        let mut waiting = Vec::new();
        for (tree, root) in self.roots.iter().enumerate() {
            let before = self.order.len();
            waiting.push((*root, 0));
            while let Some((node, depth)) = waiting.pop() {
                self.order.push(node);
                if let Some(held) = nodes.get_mut(node) {
                    (held.tree, held.depth) = (tree as u32, depth);
                }
                let below = children.of(node).iter().rev();
                waiting.extend(below.map(|child| (*child, depth + 1)));
            }
            let inferred = usize::from(*root >= events);
            self.sizes
                .push((self.order.len() - before - inferred) as u32);
        }
    }
}

/// Counts children and descendants, from the leaves.
fn count(nodes: &mut [Node], order: &[usize]) {
    for node in order.iter().rev() {
        let Some(Node {
            parent: Some(parent),
            descendants,
            ..
        }) = nodes.get(*node).copied()
        else {
            continue;
        };
        if let Some(parent) = nodes.get_mut(parent) {
            parent.children += 1;
            parent.descendants += descendants + 1;
        }
    }
}
