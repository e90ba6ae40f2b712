//! `parse_xml`: a document as a dynamic value. An element is a bag of its attributes (`@name`), its text (`#text`) and its elements by
//! their names; several of one name are an array; one of text alone is that text. Source: Kusto's documentation of the function.

use roxmltree::{Document, Node, ParsingOptions};
use spoor_table::dynamic::Builder;
use spoor_table::{Cell, KustoType};

use super::args::{P, fixed};
use super::function_table;
use super::text::text;
use super::udf::{Body, Out};

/// Elements within each other, nodes of one document, and namespaces at one place: more are an attack.
const DEEPEST: usize = 100;
const MOST_NODES: u32 = 1 << 20;
const MOST_NAMESPACES: usize = 32;

function_table! {
    "parse_xml", "parse_xml(text)", "Reads XML as a dynamic value: attributes as `@name`, text as `#text`, elements by their names.", |c, a| fixed(c, a, "parse_xml", &[P::Text], KustoType::Dynamic, Body::Strict(parse_xml));
}

fn parse_xml(cells: &[Cell<'_>], out: &mut Out) {
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let text = text(&cells[0]).trim_start_matches('\u{feff}').trim_start();
    let document = Document::parse_with_options(text, options).ok();
    let document = document.filter(|document| {
        let mut nodes = document.descendants();
        depth(document.root_element()) <= DEEPEST
            && nodes
                .all(|node| node.namespaces().take(MOST_NAMESPACES + 1).count() <= MOST_NAMESPACES)
    });
    out.maybe(document, |out, document| {
        let root = document.root_element();
        out.dynamic(|b| {
            let mark = b.begin_object();
            b.key(&mark, &name(root));
            write_element(b, root);
            b.item(&mark);
            b.end(mark);
        });
    });
}

/// How many elements stand within each other, by a walk that needs no stack.
fn depth(root: Node<'_, '_>) -> usize {
    let (mut at, mut here, mut deepest) = (Some(root), 1usize, 1usize);
    while let Some(node) = at {
        deepest = deepest.max(here);
        if let Some(child) = node.first_child() {
            here += 1;
            at = Some(child);
            continue;
        }
        let mut left = node;
        at = loop {
            if left == root {
                break None;
            }
            if let Some(next) = left.next_sibling() {
                break Some(next);
            }
            match left.parent() {
                Some(parent) => {
                    here = here.saturating_sub(1);
                    left = parent;
                }
                None => break None,
            }
        };
    }
    deepest
}

/// The name as the document has it.
fn name(node: Node<'_, '_>) -> String {
    let tag = node.tag_name();
    let prefix = tag.namespace().and_then(|uri| node.lookup_prefix(uri));
    match prefix {
        Some(prefix) if !prefix.is_empty() => format!("{prefix}:{}", tag.name()),
        _ => tag.name().to_owned(),
    }
}

fn write_element(b: &mut Builder, node: Node<'_, '_>) {
    let children: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
    let texts = node.children().filter(Node::is_text);
    let text: String = texts.filter_map(|text| text.text()).collect();
    let own = node.namespaces().filter(|ns| {
        let above = node.parent_element();
        above.is_none_or(|above| !above.namespaces().any(|known| known == *ns))
    });
    let declared: Vec<(String, &str)> = own
        .filter(|ns| ns.name() != Some("xml"))
        .map(|ns| match ns.name() {
            Some(prefix) => (format!("@xmlns:{prefix}"), ns.uri()),
            None => ("@xmlns".to_owned(), ns.uri()),
        })
        .collect();
    let bare = children.is_empty() && declared.is_empty() && node.attributes().len() == 0;
    if bare {
        match text.is_empty() {
            true => b.null(),
            false => b.string(&text),
        }
        return;
    }
    let mark = b.begin_object();
    for (key, uri) in declared {
        b.key(&mark, &key);
        b.string(uri);
        b.item(&mark);
    }
    for attribute in node.attributes() {
        b.key(&mark, &format!("@{}", attribute.name()));
        b.string(attribute.value());
        b.item(&mark);
    }
    if !text.trim().is_empty() {
        b.key(&mark, "#text");
        b.string(&text);
        b.item(&mark);
    }
    write_children(b, &mark, &children);
    b.end(mark);
}

fn write_children(b: &mut Builder, mark: &spoor_table::dynamic::Mark, children: &[Node<'_, '_>]) {
    let mut groups: Vec<(String, Vec<Node<'_, '_>>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for child in children {
        let name = name(*child);
        let at = *places.entry(name.clone()).or_insert_with(|| {
            groups.push((name, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, nodes)) = groups.get_mut(at) {
            nodes.push(*child);
        }
    }
    for (name, nodes) in groups {
        b.key(mark, &name);
        match nodes.as_slice() {
            [only] => write_element(b, *only),
            several => {
                let list = b.begin_array();
                for node in several {
                    write_element(b, *node);
                    b.item(&list);
                }
                b.end(list);
            }
        }
        b.item(mark);
    }
}
