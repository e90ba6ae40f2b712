//! Arrays as sets.

use std::collections::HashSet;

use spoor_table::{Cell, DynamicRef};

use super::array::same;
use super::{array, view};
use crate::functions::udf::Out;

/// The arrays of all arguments; `None` when one is none.
pub(super) fn arrays<'a>(cells: &[Cell<'a>]) -> Option<Vec<Vec<DynamicRef<'a>>>> {
    cells
        .iter()
        .map(|cell| Some(view(cell).as_array()?.iter().collect()))
        .collect()
}

pub(super) fn set_union(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let mut seen = HashSet::new();
    array(
        out,
        arrays
            .into_iter()
            .flatten()
            .filter(|item| seen.insert(item.as_bytes())),
    );
}

pub(super) fn set_intersect(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let Some((first, rest)) = arrays.split_first() else {
        return out.null();
    };
    let rest: Vec<HashSet<&[u8]>> = rest
        .iter()
        .map(|a| a.iter().map(|i| i.as_bytes()).collect())
        .collect();
    let mut seen = HashSet::new();
    let kept = first.iter().filter(|item| {
        rest.iter().all(|set| set.contains(item.as_bytes())) && seen.insert(item.as_bytes())
    });
    array(out, kept.copied());
}

pub(super) fn set_difference(cells: &[Cell<'_>], out: &mut Out) {
    let Some(arrays) = arrays(cells) else {
        return out.null();
    };
    let Some((first, rest)) = arrays.split_first() else {
        return out.null();
    };
    let mut seen: HashSet<&[u8]> = rest.iter().flatten().map(|item| item.as_bytes()).collect();
    array(
        out,
        first
            .iter()
            .copied()
            .filter(|item| seen.insert(item.as_bytes())),
    );
}

pub(super) fn set_has_element(cells: &[Cell<'_>], out: &mut Out) {
    match view(&cells[0]).as_array() {
        Some(items) => {
            let wanted = view(&cells[1]);
            out.bool(items.iter().any(|item| same(item, wanted)));
        }
        None => out.null(),
    }
}

type Set<'a> = HashSet<&'a [u8]>;

pub(super) fn sets<'a>(cells: &[Cell<'a>]) -> Option<(Set<'a>, Set<'a>)> {
    let set = |cell: &Cell<'a>| -> Option<Set<'a>> {
        Some(
            view(cell)
                .as_array()?
                .iter()
                .map(DynamicRef::as_bytes)
                .collect(),
        )
    };
    Some((set(&cells[0])?, set(&cells[1])?))
}

pub(super) fn set_equals(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(sets(cells), |out, (a, b)| out.bool(a == b));
}

pub(super) fn jaccard_index(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(sets(cells), |out, (a, b)| {
        let shared = a.intersection(&b).count();
        out.real(shared as f64 / (a.len() + b.len() - shared) as f64);
    });
}
