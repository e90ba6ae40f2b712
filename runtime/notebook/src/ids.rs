//! Cell ids (nbformat 4.5): kept where they are right, made from a cell's content where not, so
//! that the same file always gets the same ids.

use std::collections::HashSet;

use crate::model::Cell;

/// An id for each cell: its own if it is valid and the first of its kind, else one made for it.
pub(crate) fn of(cells: &[Cell]) -> Vec<String> {
    let mut taken: HashSet<&str> = HashSet::new();
    let own: Vec<Option<&str>> = cells
        .iter()
        .map(|cell| {
            cell.id
                .as_deref()
                .filter(|id| is_valid(id))
                .filter(|id| taken.insert(*id))
        })
        .collect();
    let mut made: HashSet<String> = HashSet::new();
    own.into_iter()
        .enumerate()
        .map(|(index, id)| match id {
            Some(id) => id.to_owned(),
            None => make(index, &cells[index].source, |id| {
                taken.contains(id) || !made.insert(id.to_owned())
            }),
        })
        .collect()
}

/// nbformat 4.5: 1 to 64 letters, digits, `-` and `_`.
fn is_valid(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn make(index: usize, source: &str, mut is_taken: impl FnMut(&str) -> bool) -> String {
    let mut seed = index as u64;
    loop {
        let id = format!("{:08x}", fold(fnv1a(seed, source.as_bytes())));
        if !is_taken(&id) {
            return id;
        }
        seed = seed.wrapping_add(0x9e37_79b9);
    }
}

/// FNV-1a of 64 bits: the same on every machine and in every version, which `DefaultHasher` is not.
fn fnv1a(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    let all = seed.to_le_bytes().into_iter().chain(bytes.iter().copied());
    all.fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn fold(hash: u64) -> u32 {
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_what_lacks_and_keeps_the_rest() {
        let mut cells = vec![
            Cell::code("a"),
            Cell::code("a"),
            Cell::code("b"),
            Cell::code("c"),
            Cell::code("d"),
        ];
        cells[1].id = Some("kept".to_owned());
        cells[2].id = Some("kept".to_owned());
        cells[3].id = Some("not valid".to_owned());
        let ids = of(&cells);
        assert_eq!(ids[1], "kept");
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 5);
        assert!(ids.iter().all(|id| is_valid(id)));
        assert_eq!(ids, of(&cells));
    }
}
