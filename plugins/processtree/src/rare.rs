//! How usual a parent is for its child.
//!
//! Of a program that starts something new all the time (a shell), one more that it never started tells nothing; of one that
//! starts the same few, it does. So a pair is measured by what share of its parent's starts, or of its child's, are in pairs
//! as rare as it: for pairs that came once, that is Good and Turing's estimate of the chance that the next is new
//! (I. J. Good, "The Population Frequencies of Species", 1953).

use std::collections::HashMap;

/// A pair's figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// How often the parent's program started the child's.
    pub count: u32,
    /// The share of starts that are in pairs as rare as this, by the parent's program or of the child's, whichever is less.
    pub rarity: f64,
}

/// The figures of each start's pair of programs, parent and child; `None` where the parent's program is not known.
pub fn measure(starts: &[Option<(u32, u32)>]) -> Vec<Option<Pair>> {
    let mut numbers: HashMap<(u32, u32), usize> = HashMap::new();
    let mut pairs: Vec<((u32, u32), u32)> = Vec::new();
    let mut number = |pair: &(u32, u32)| {
        let number = *numbers.entry(*pair).or_insert(pairs.len());
        match pairs.get_mut(number) {
            Some((_, count)) => *count += 1,
            None => pairs.push((*pair, 1)),
        }
        number
    };
    let numbered: Vec<Option<usize>> = starts
        .iter()
        .map(|pair| pair.as_ref().map(&mut number))
        .collect();
    let by_parent = tails(pairs.iter().map(|((parent, _), count)| (*parent, *count)));
    let by_child = tails(pairs.iter().map(|((_, child), count)| (*child, *count)));
    let rarities: Vec<f64> = by_parent
        .iter()
        .zip(by_child)
        .map(|(by_parent, by_child)| by_parent.min(by_child))
        .collect();
    let figures = |number: usize| {
        Some(Pair {
            count: pairs.get(number)?.1,
            rarity: *rarities.get(number)?,
        })
    };
    let figures = |number: &Option<usize>| number.and_then(figures);
    numbered.iter().map(figures).collect()
}

/// For each pair, of those with the same key: the share of their counts that lies in counts no higher than its own.
fn tails(pairs: impl Iterator<Item = (u32, u32)>) -> Vec<f64> {
    let mut sorted: Vec<(u32, u32, usize)> = pairs
        .enumerate()
        .map(|(number, (key, count))| (key, count, number))
        .collect();
    sorted.sort_unstable();
    let mut shares = vec![0.0; sorted.len()];
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        let sum = |of: &[(u32, u32, usize)]| -> f64 { of.iter().map(|of| f64::from(of.1)).sum() };
        let total = sum(same);
        let mut below = 0.0;
        for as_rare in same.chunk_by(|a, b| a.1 == b.1) {
            below += sum(as_rare);
            for (_, _, number) in as_rare {
                if let Some(share) = shares.get_mut(*number) {
                    *share = below / total;
                }
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_steady_parent_starts_once_is_rare() {
        let mut starts = vec![Some((1, 2)); 99];
        starts.push(Some((1, 3)));
        // A shell that starts fifty things once each, and one of them is also what 1 starts.
        starts.extend((10..60).map(|child| Some((4, child))));
        starts.extend([Some((4, 2)), None]);
        let found = measure(&starts);
        let rarity = |at: usize| found.get(at).copied().flatten().map(|pair| pair.rarity);
        assert_eq!(rarity(0), Some(1.0));
        assert_eq!(rarity(99), Some(0.01));
        assert_eq!(rarity(110), Some(1.0));
        assert_eq!(rarity(150), Some(0.01));
        assert_eq!(found.last(), Some(&None));
        let first = found.first().copied().flatten();
        assert_eq!(first.map(|pair| pair.count), Some(99));
    }
}
