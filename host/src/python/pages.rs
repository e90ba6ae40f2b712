//! Memory without its empty pages: a quarter of an interpreter's memory is zero, and a browser's
//! time to load it goes by the byte.

/// What is left out is zero for this many bytes at least: shorter gaps are not worth a run.
const PAGE: usize = 1 << 14;

/// The stretches of `memory` that are not zero, as offsets and lengths in bytes, and their bytes
/// one after the other. Memories are shorter than 4 GiB.
pub fn pack(memory: &[u8]) -> (Vec<(u32, u32)>, Vec<u8>) {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut packed = Vec::new();
    for (index, page) in memory.chunks(PAGE).enumerate() {
        if page.iter().all(|byte| *byte == 0) {
            continue;
        }
        let (at, length) = ((index * PAGE) as u32, page.len() as u32);
        match runs.last_mut() {
            Some((first, run)) if *first + *run == at => *run += length,
            _ => runs.push((at, length)),
        }
        packed.extend_from_slice(page);
    }
    (runs, packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_pages_are_left_out() {
        let mut memory = vec![0; 5 * PAGE + 7];
        memory[PAGE] = 1;
        memory[3 * PAGE - 1] = 2;
        memory[5 * PAGE + 6] = 3;
        let (runs, packed) = pack(&memory);
        let page = PAGE as u32;
        assert_eq!(runs, [(page, 2 * page), (5 * page, 7)]);
        let mut unpacked = vec![0; memory.len()];
        let mut rest = packed.as_slice();
        for (at, length) in runs {
            let (run, after) = rest.split_at(length as usize);
            unpacked[at as usize..][..run.len()].copy_from_slice(run);
            rest = after;
        }
        assert!(rest.is_empty() && unpacked == memory);
    }
}
