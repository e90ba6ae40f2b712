//! Marks over text that is read, by the CSS Custom Highlight API: the browser paints ranges, and the document stays as it
//! is. `find` marks what it found with them. Browsers without the API show no marks; an editor shows its own.

use std::ops::Range;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Node};

use crate::dom::{self, object};

/// The names of the highlights in the style sheet: of what is found, and of where the user is.
const NAMES: [&str; 2] = ["found", "found-now"];

/// Beyond, no more are marked: the browser has each to paint.
const MOST: usize = 2000;

/// What is no text of the notebook, or changes by itself.
const SKIPPED: &str = "[hidden], .anchor, .result, .chart, iframe, annotation";

#[wasm_bindgen]
extern "C" {
    type Registry;
    #[wasm_bindgen(method)]
    fn set(this: &Registry, name: &str, marks: &Highlight);
    #[wasm_bindgen(method)]
    fn delete(this: &Registry, name: &str) -> bool;

    type Highlight;
    #[wasm_bindgen(constructor)]
    fn new() -> Highlight;
    #[wasm_bindgen(method)]
    fn add(this: &Highlight, range: &StaticRange);

    type StaticRange;
    #[wasm_bindgen(constructor)]
    fn new(init: &JsValue) -> StaticRange;
}

/// Where the browser keeps its highlights, if it has any.
fn registry() -> Option<Registry> {
    let css = Reflect::get(&dom::window(), &"CSS".into()).ok()?;
    let registry = Reflect::get(&css, &"highlights".into()).ok()?;
    registry.is_object().then(|| registry.unchecked_into())
}

/// Takes all marks away.
pub fn clear() {
    if let Some(registry) = registry() {
        for name in NAMES {
            registry.delete(name);
        }
    }
}

/// Marks that are being gathered.
pub struct Marks {
    registry: Registry,
    found: Highlight,
    now: Highlight,
    count: usize,
}

impl Marks {
    /// None yet. Nothing where the browser cannot show any.
    pub fn new() -> Option<Self> {
        let registry = registry()?;
        Some(Self {
            registry,
            found: Highlight::new(),
            now: Highlight::new(),
            count: 0,
        })
    }

    /// Whether there are as many as are shown.
    pub fn is_full(&self) -> bool {
        self.count >= MOST
    }

    /// Marks ranges of a text, in UTF-16 units, the one at `now` apart. Gives the element that this one begins in.
    pub fn add(
        &mut self,
        text: &Text,
        ranges: &[Range<usize>],
        now: Option<usize>,
    ) -> Option<Element> {
        let mut here = None;
        for (nth, range) in ranges.iter().enumerate() {
            let is_now = Some(nth) == now;
            if self.is_full() && !is_now {
                continue;
            }
            let Some((from, mark)) = text.range(range) else {
                continue;
            };
            if is_now {
                self.now.add(&mark);
                here = from.parent_element();
            } else {
                self.found.add(&mark);
            }
            self.count += 1;
        }
        here
    }

    /// Shows them in place of those before.
    pub fn show(&self) {
        let [found, now] = NAMES;
        self.registry.set(found, &self.found);
        self.registry.set(now, &self.now);
    }
}

/// The text below an element, and where its pieces are.
pub struct Text {
    /// All of it.
    pub whole: String,
    /// The nodes of text, each with the UTF-16 units before it.
    pieces: Vec<(usize, Node)>,
    units: usize,
}

impl Text {
    /// What is read below `root`.
    pub fn of(root: &Element) -> Self {
        let mut text = Self {
            whole: String::new(),
            pieces: Vec::new(),
            units: 0,
        };
        text.take_in(root);
        text
    }

    fn take_in(&mut self, node: &Node) {
        let mut next = node.first_child();
        while let Some(child) = next {
            match child.dyn_ref::<Element>() {
                Some(element) if element.matches(SKIPPED).unwrap_or(false) => {}
                Some(element) => self.take_in(element),
                None if child.node_type() == Node::TEXT_NODE => self.add(&child),
                None => {}
            }
            next = child.next_sibling();
        }
    }

    fn add(&mut self, node: &Node) {
        let piece = node.node_value().unwrap_or_default();
        self.pieces.push((self.units, node.clone()));
        self.units += piece.encode_utf16().count();
        self.whole += &piece;
    }

    /// A range of it in the document, with the node that it begins in.
    fn range(&self, units: &Range<usize>) -> Option<(Node, StaticRange)> {
        if units.is_empty() || units.end > self.units {
            return None;
        }
        let first = self
            .pieces
            .partition_point(|(from, _)| *from <= units.start);
        let last = self.pieces.partition_point(|(from, _)| *from < units.end);
        let (before_first, first) = self.pieces.get(first.checked_sub(1)?)?;
        let (before_last, last) = self.pieces.get(last.checked_sub(1)?)?;
        let offset = |at: usize, before: usize| JsValue::from_f64((at - before) as f64);
        let init = object(&[
            ("startContainer", first.into()),
            ("startOffset", offset(units.start, *before_first)),
            ("endContainer", last.into()),
            ("endOffset", offset(units.end, *before_last)),
        ]);
        Some((first.clone(), StaticRange::new(&init)))
    }
}
